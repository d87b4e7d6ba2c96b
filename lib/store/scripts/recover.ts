import { streamedFailure } from '../../wire/fields.js';
import { decodeEvent } from '../../wire/event.js';
import { FAILURE_TTL, optionalNumber } from './exchange.js';
import type { RecoverReply, RecoverSettings } from '../job-store.js';
import type { Keyspace, QueueKeys } from '../../wire/keyspace.js';
import type { ScriptValue } from '../../redis/script.js';

/** The keys, arguments and reply of `recover.lua`, as types: the one place that knows their order. */
export function recoverKeys(queue: QueueKeys): string[] {
  return [
    queue.list,
    queue.intermediate,
    queue.started,
    queue.finished,
    queue.failed,
    queue.waiting,
    queue.schedulerLock,
    queue.scheduled,
  ];
}

export function encodeRecover(
  { maxCrashes, stale }: RecoverSettings,
  where: {
    readonly keys: Keyspace;
    readonly queue: QueueKeys;
    readonly results: 'hash' | 'stream';
  },
): ScriptValue[] {
  const { keys, queue, results } = where;
  const poison = {
    name: 'PoisonJobError',
    message: `the worker that ran this job died ${maxCrashes} times; it is not tried again. Requeue it when the cause is known.`,
  };
  const failure = `${poison.name}: ${poison.message}`;
  return [
    keys.jobPrefix,
    queue.settled,
    queue.firstSeenPrefix,
    maxCrashes,
    FAILURE_TTL,
    stale,
    RECOVERED_AT_ONCE,
    failure,
    streamedFailure(failure),
    keys.resultsPrefix,
    results === 'stream' ? '1' : '',
    queue.events,
    JSON.stringify(poison),
  ];
}

/** `more`: the script has not come to the end. */
export function decodeRecover(queue: string, reply: unknown): RecoverReply & { more: boolean } {
  const [found, more, nextLook, nextDue] = reply as [Buffer[], Buffer, Buffer, Buffer];
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
  };
}

/** Keeps one script below 5 ms. */
const RECOVERED_AT_ONCE = 500;
