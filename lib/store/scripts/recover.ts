import { poisonFailure } from '../../job/poison-job-error.js';
import { DEFAULT_FAILURE_TTL } from '../../job/rq-defaults.js';
import { streamedFailure } from '../../wire/fields.js';
import { decodeEvent } from '../../wire/event.js';
import { type ExchangePlace, optionalNumber } from './exchange.js';
import type { RecoverReply, RecoverSettings } from '../job-store.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { recover } from './compiled.js';

/** `recover.lua` as types: the one place that knows its arguments and its reply. */
export const RECOVER = new Script(recover);

/** @param newQueue that has become known lately */
export function encodeRecover(
  { maxCrashes, leaseMs }: RecoverSettings,
  { keyspace, queue, shared }: ExchangePlace,
  newQueue: string | undefined,
): ScriptValue[] {
  const poison = poisonFailure(maxCrashes);
  const failure = `${poison.name}: ${poison.message}`;
  return RECOVER.values({
    prefix: keyspace.prefix,
    channels: keyspace.channels,
    queue,
    max_crashes: maxCrashes,
    failure_ttl: DEFAULT_FAILURE_TTL,
    lease: leaseMs,
    most: RECOVERED_AT_ONCE,
    failure,
    streamed_failure: streamedFailure(failure),
    shared: shared ? '1' : '',
    error: JSON.stringify(poison),
    new_queue: newQueue ?? '',
  });
}

/** `more`: the script has not come to the end; `queues`: the keys of all queues that are known. */
export function decodeRecover(
  queue: string,
  reply: unknown,
): RecoverReply & { more: boolean; queues: readonly string[] } {
  const [found, more, nextLook, nextDue, queues] = reply as [
    Buffer[],
    Buffer,
    Buffer,
    Buffer,
    Buffer[],
  ];
  const handled: RecoverReply['handled'][number][] = [];
  for (let at = 0; at + 2 < found.length; at += 3) {
    const [id, outcome, event] = found.slice(at, at + 3).map(String) as [string, string, string];
    handled.push({
      id,
      outcome: outcome as 'requeued' | 'failed',
      event: event === '' ? undefined : decodeEvent(queue, event),
    });
  }
  return {
    handled,
    more: more.length > 0,
    nextLook: optionalNumber(nextLook),
    nextDue: optionalNumber(nextDue),
    queues: queues.map(String),
  };
}

/** Keeps one script below 5 ms. */
const RECOVERED_AT_ONCE = 500;
