import { Script, type ScriptValue } from '../../redis/script.js';
import { beat } from './compiled.js';

/** `beat.lua` as types: the one place that knows its arguments. */
export const BEAT = new Script(beat);

export function encodeBeat(
  prefix: string,
  { ttl, state, finished, failed, seconds, begins, queues, birth }: Beat,
): ScriptValue[] {
  const values = BEAT.values({
    prefix,
    ttl,
    state,
    finished,
    failed,
    seconds,
    begins: begins ? '1' : '',
  });
  const fields = Object.entries(birth).flat();
  values.push(queues.length, ...queues, fields.length, ...fields);
  return values;
}

export interface Beat {
  /** Seconds. */
  readonly ttl: number;
  readonly state: string;
  readonly finished: number;
  readonly failed: number;
  readonly seconds: number;
  /** The worker starts. */
  readonly begins: boolean;
  readonly queues: readonly string[];
  /** Fields of its hash that do not change. */
  readonly birth: Readonly<Record<string, string | number>>;
}
