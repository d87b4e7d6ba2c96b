import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';

/**
 * A Lua script that Redis runs as one step. Its keys and arguments have names, which its header declares; the one who
 * calls it gives them by name. Redis is asked by digest, and given the text again when it has forgotten it (a restart,
 * `SCRIPT FLUSH`).
 */
export class Script<Key extends string = string, Value extends string = string> {
  private readonly digest: string;

  /** @param compiled what scripts/compile-lua.mjs made of the Lua file */
  constructor(private readonly compiled: CompiledScript<Key, Value>) {
    this.digest = createHash('sha1').update(compiled.text).digest('hex');
  }

  /** The keys in the script's order; for calls that are made again and again, so that they are put in order once. */
  keys(named: Readonly<Record<Key, string>>): readonly string[] {
    return this.compiled.keys.map((key) => named[key]);
  }

  /** The arguments in the script's order; those of which there may be many are to be added behind them. */
  values(named: Readonly<Record<Value, ScriptValue>>): ScriptValue[] {
    return this.compiled.values.map((value) => named[value]);
  }

  /** Runs it; the reply's texts are Buffers, since Python's job data is binary. */
  async run(
    redis: Redis,
    keys: readonly string[],
    values: readonly ScriptValue[],
  ): Promise<unknown> {
    try {
      return await redis.callBuffer('EVALSHA', this.digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.callBuffer('EVAL', this.compiled.text, keys.length, ...keys, ...values);
    }
  }
}

export interface CompiledScript<Key extends string, Value extends string> {
  readonly name: string;
  readonly keys: readonly Key[];
  readonly values: readonly Value[];
  readonly text: string;
}

export type ScriptValue = string | number | Buffer;
