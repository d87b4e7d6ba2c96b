import { LOG_LINES } from '../../job/job-log.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { encodeEvent } from '../../wire/event.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { Lease, Told } from '../job-store.js';
import { tell } from './compiled.js';

/** `tell.lua` as types: the one place that knows its arguments and its reply. */
export const TELL = new Script(tell);

export function encodeTell(
  { prefix, channels }: Keyspace,
  queue: string,
  { id, execution }: Lease,
  { progress, lines, data, isAlive }: Told,
): ScriptValue[] {
  const values = TELL.values({
    prefix,
    channels,
    queue,
    member: `${id}:${execution}`,
    progress: progress?.json ?? '',
    event: progress ? encodeEvent(progress.event) : '',
    data: data ?? '',
    alive: isAlive ? '1' : '',
    kept: LOG_LINES,
    ttl: KEPT_SECONDS,
  });
  values.push(lines.length);
  for (const line of lines) values.push(line);
  return values;
}

/** A week after the last line, whatever becomes of the job. */
const KEPT_SECONDS = 604_800;
