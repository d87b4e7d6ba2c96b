import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Redis } from 'ioredis';
import { CLAIM_FIELDS, FURTHER_FIELDS } from '../wire/fields.js';

/**
 * A Lua script that Redis runs as one step. The text comes from the `.lua` file beside this one; what several
 * scripts share stands in `scripts/include` and is put in where a line says so. Redis is asked by digest, and
 * given the text again when it has forgotten it (restart, `SCRIPT FLUSH`).
 */
export class Script {
  private readonly text: string;
  private readonly digest: string;

  constructor(readonly name: string) {
    this.text = load(`../store/scripts/${name}.lua`);
    this.digest = createHash('sha1').update(this.text).digest('hex');
  }

  /** Runs it; the reply's texts are Buffers, since Python's job data is binary. */
  async run(redis: Redis, keys: string[], values: ScriptValue[]): Promise<unknown> {
    try {
      return await redis.callBuffer('EVALSHA', this.digest, keys.length, ...keys, ...values);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return redis.callBuffer('EVAL', this.text, keys.length, ...keys, ...values);
    }
  }
}

export type ScriptValue = string | number | Buffer;

function load(path: string): string {
  const text = readFileSync(new URL(path, import.meta.url), 'utf8');
  return text.replace(/^--- @include (\S+)$/gm, (_, name: string) =>
    name === 'claim-fields' ? claimFields() : load(`../store/scripts/include/${name}.lua`),
  );
}

function claimFields(): string {
  const list = (fields: readonly string[]) => fields.map((field) => `'${field}'`).join(', ');
  return `local CLAIM_FIELDS = { ${list(CLAIM_FIELDS)} }\nlocal FURTHER_FIELDS = { ${list(FURTHER_FIELDS)} }`;
}
