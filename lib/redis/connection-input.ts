import { Redis, type RedisOptions } from 'ioredis';
import { InvalidOptionError, isObject } from '../job/index.js';
import { AS_RULED, MISTAKEN, OBEYED, REFUSED, RULED, nearestOption } from './connection-rules.js';
import { readUrl } from './connection-url.js';
import * as troubles from './troubles.js';

/**
 * Reads the `connection` option. Whatever its form, first it is made one plain object of the options that were really
 * given, then that is checked: every key must be known, every value possible. What is not obeyed is said.
 *
 * @param where the call or module, for errors
 * @throws InvalidOptionError naming the key; it never shows a URL or a password
 */
export function readConnection(input: unknown, where: string | undefined): ConnectionInput {
  const given = normalForm(input, where);
  const options: RedisOptions = {};
  const overruled: string[] = [];
  for (const [key, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    const refuse = (problem: string): never => {
      throw new InvalidOptionError({ option: `connection.${key}`, problem, where });
    };
    const refused = Object.hasOwn(REFUSED, key) ? REFUSED[key] : undefined;
    if (refused) {
      if (value !== refused.but) refuse(refused.problem);
    } else if (Object.hasOwn(RULED, key)) {
      if (value === AS_RULED[key]) continue;
      overruled.push(troubles.optionOverruled(key, RULED[key as keyof typeof RULED]));
    } else if (Object.hasOwn(OBEYED, key)) {
      const problem = problemWith(key as keyof typeof OBEYED, value);
      if (problem) refuse(problem);
      Object.assign(options, { [key]: value });
    } else {
      refuse(`is not an option of a connection${hintFor(key)}`);
    }
  }
  return { options: withDefaults(options), warnings: overruled };
}

/** A URL (`redis://`, `rediss://`, `unix://`), ioredis options, or an ioredis instance whose settings are taken over. */
export type ConnectionOption = string | RedisOptions | RedisInstance;

/** An instance of ioredis, of version 5 or 6: known by its shape, since the application may have a copy of its own. */
export interface RedisInstance {
  duplicate(...overrides: never[]): unknown;
  readonly options: object;
}

export interface ConnectionInput {
  readonly options: RedisOptions;
  /** One clause for each option that was given and is not obeyed. */
  readonly warnings: readonly string[];
}

function normalForm(input: unknown, where: string | undefined): Readonly<Record<string, unknown>> {
  if (typeof input === 'string') return readUrl(input, where);
  if (isInstance(input)) return givenOptions(input, where);
  if (!isObject(input)) {
    const problem = 'must be a URL, ioredis options or an ioredis instance';
    throw new InvalidOptionError({ option: 'connection', problem, where });
  }
  return input;
}

function isInstance(input: unknown): input is RedisInstance {
  const { duplicate, options } = (input ?? {}) as Partial<RedisInstance>;
  return typeof duplicate === 'function' && isObject(options);
}

/** An instance's options without ioredis's own defaults, which nobody has asked for. */
function givenOptions(instance: RedisInstance, where: string | undefined): Record<string, unknown> {
  if ((instance as { isCluster?: unknown }).isCluster === true) {
    const problem = 'is a Redis Cluster, which cannot be used: give the connection to one server';
    throw new InvalidOptionError({ option: 'connection', problem, where });
  }
  const given = Object.entries(instance.options).filter(
    ([key, value]) => !DEFAULTS.some((defaults) => sameValue(value, defaults[key])),
  );
  return Object.fromEntries(given);
}

/** What an instance has that was made without options; an instance does not tell. */
const DEFAULTS: readonly Readonly<Record<string, unknown>>[] = [
  (Redis as unknown as { defaultOptions: Record<string, unknown> }).defaultOptions,
  // Where version 5 differs.
  {
    keepAlive: 0,
    retryStrategy: function (times: number) {
      return Math.min(times * 50, 2000);
    },
  },
];

/** A function of another copy of ioredis is the same when its text is. */
function sameValue(one: unknown, other: unknown): boolean {
  if (typeof one === 'function' && typeof other === 'function') {
    return String(one).replace(/\s/g, '') === String(other).replace(/\s/g, '');
  }
  const areLists = Array.isArray(one) && Array.isArray(other);
  return areLists ? one.length === 0 && other.length === 0 : Object.is(one, other);
}

function problemWith(key: keyof typeof OBEYED, value: unknown): string | undefined {
  switch (key) {
    case 'db':
      return isWhole(value) ? undefined : `must be a whole number of at least 0${shown(value)}`;
    case 'port':
      return isWhole(value) && value > 0 && value < 65_536
        ? undefined
        : `must be a whole number from 1 to 65535${shown(value)}`;
    case 'role':
      return value === 'master' ? undefined : "must be 'master': jobs are written";
    case 'sentinels':
      return Array.isArray(value) && value.length > 0
        ? undefined
        : 'must be a list of addresses: [{ host, port }]';
    default:
  }
  switch (OBEYED[key]) {
    case 'text':
      return typeof value === 'string' ? undefined : 'must be text';
    case 'number':
      return isWhole(value) ? undefined : `must be a whole number${shown(value)}`;
    case 'flag':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    default:
      return undefined;
  }
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** For keys that hold no secret. */
function shown(value: unknown): string {
  const isSimple = typeof value === 'string' || typeof value === 'number';
  return isSimple ? `, got ${JSON.stringify(String(value).slice(0, 40))}` : '';
}

function hintFor(key: string): string {
  const mistaken = Object.hasOwn(MISTAKEN, key) ? MISTAKEN[key] : undefined;
  if (mistaken) return `: ${mistaken}`;
  const near = nearestOption(key);
  return near ? `: did you mean \`${near}\`?` : '';
}

/** What ioredis would leave off, and nobody would want to be without. */
function withDefaults(options: RedisOptions): RedisOptions {
  if (!options.sentinels) return options;
  return {
    failoverDetector: true,
    // One that stands still must not keep us from asking the others.
    sentinelCommandTimeout: 1000,
    // Otherwise `tls` would not apply to the server that the Sentinels name: its password would travel in plain text.
    ...(options.tls ? { enableTLSForSentinelMode: true } : undefined),
    ...options,
  };
}
