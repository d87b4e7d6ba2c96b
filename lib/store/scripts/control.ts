import { Script, type ScriptValue } from '../../redis/script.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { ControlAction, ControlReply } from '../job-store.js';
import { control } from './compiled.js';
import { DEFAULT_FAILURE_TTL } from '../../job/rq-defaults.js';

/** `control.lua` as types: the one place that knows its arguments and its reply. */
export const CONTROL = new Script(control);

export function encodeControl(
  { prefix, channels }: Keyspace,
  queue: string,
  id: string,
  action: ControlAction,
): ScriptValue[] {
  const argument = argumentOf(action);
  return CONTROL.values({
    prefix,
    channels,
    queue,
    action: action.type,
    id,
    argument,
    failure_ttl: DEFAULT_FAILURE_TTL,
    dependents: 'dependents' in action ? action.dependents : 'end',
  });
}

/** `leftOver`: jobs that wait for this one are still to be told. */
export function decodeControl(reply: unknown): ControlReply & { leftOver: boolean } {
  const [answer, status, leftOver] = reply as [Buffer, Buffer, Buffer];
  return {
    answer: String(answer) as ControlReply['answer'],
    status: String(status),
    leftOver: leftOver.length > 0,
  };
}

function argumentOf(action: ControlAction): string {
  if (action.type === 'meta') return action.json;
  return action.type === 'requeue' && action.front ? 'front' : 'back';
}
