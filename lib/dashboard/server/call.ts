import type { IncomingMessage, ServerResponse } from 'node:http';
import { Refused } from './problems.js';
import type { Viewer } from './viewer.js';

/** One request, and what is known of whoever makes it. */
export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly viewer: Viewer;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Words;
  /** Of a POST. */
  readonly body: Words;
}

/** The words of a query or a body, each checked where it is read. */
export class Words {
  constructor(private readonly values: Readonly<Record<string, unknown>>) {}

  static ofUrl(url: string): Words {
    const at = url.indexOf('?');
    const params = new URLSearchParams(at === -1 ? '' : url.slice(at + 1));
    return new Words(Object.fromEntries(params));
  }

  /** @throws Refused when it is not text */
  text(name: string): string | undefined {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string' || value.length > LONGEST) {
      throw new Refused('option', `"${name}" must be text`, 400);
    }
    return value;
  }

  /** @throws Refused when it is missing */
  needed(name: string): string {
    const value = this.text(name);
    if (value === undefined) throw new Refused('option', `"${name}" is missing`, 400);
    return value;
  }

  /** A whole number within bounds; what is beyond is brought back to them. */
  number(name: string, { least, most, otherwise }: NumberBounds): number {
    const value = Object.hasOwn(this.values, name) ? this.values[name] : undefined;
    if (value === undefined || value === null || value === '') return otherwise;
    const number = Number(value);
    if (!Number.isFinite(number)) throw new Refused('option', `"${name}" must be a number`, 400);
    return Math.min(most, Math.max(least, Math.floor(number)));
  }

  /** @throws Refused when it is none of these */
  oneOf<Word extends string>(name: string, words: readonly Word[]): Word | undefined {
    const value = this.text(name);
    if (value === undefined) return undefined;
    if ((words as readonly string[]).includes(value)) return value as Word;
    throw new Refused('option', `"${name}" must be one of ${words.join(', ')}`, 400);
  }

  /** @throws Refused when it is not a list of texts */
  texts(name: string, most: number): string[] | undefined {
    const value = this.values[name];
    if (value === undefined || value === null) return undefined;
    const isList = Array.isArray(value) && value.every((one) => typeof one === 'string');
    if (!isList || value.length > most) {
      throw new Refused('option', `"${name}" must be a list of at most ${most} texts`, 400);
    }
    return value as string[];
  }

  flag(name: string): boolean {
    return this.values[name] === true || this.values[name] === '1';
  }

  has(name: string): boolean {
    return Object.hasOwn(this.values, name) && this.values[name] !== undefined;
  }

  /** As it is. */
  raw(name: string): unknown {
    return Object.hasOwn(this.values, name) ? this.values[name] : undefined;
  }
}

export interface NumberBounds {
  readonly least: number;
  readonly most: number;
  readonly otherwise: number;
}

const LONGEST = 4000;
