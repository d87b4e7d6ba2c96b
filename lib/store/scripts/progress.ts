import type { JobEvent } from '../../job/index.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { encodeEvent } from '../../wire/event.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { Lease } from '../job-store.js';
import { progress } from './compiled.js';

/** `progress.lua` as types: the one place that knows its arguments and its reply. */
export const PROGRESS = new Script(progress);

export function encodeProgress(
  { prefix, channels }: Keyspace,
  { id, execution }: Lease,
  json: string,
  event: JobEvent,
): ScriptValue[] {
  const member = `${id}:${execution}`;
  const { queue } = event;
  return PROGRESS.values({
    prefix,
    channels,
    queue,
    member,
    progress: json,
    event: encodeEvent(event),
  });
}
