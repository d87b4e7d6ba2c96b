/**
 * Limits that an operator sets at run time (`queue.setLimits`): they have the shape in which limits are declared, and win
 * over what is declared, deploys included.
 */
import type { Duration } from './duration.js';
import { InvalidOptionError } from './errors.js';
import { readKey } from './job-key.js';
import type { Limits, Rate, RateLimitOptions } from './limit-options.js';
import { rateLimit } from './limit-options.js';
import {
  type OptionRule,
  durationAboveZero,
  jobName,
  optionTable,
  optional,
  readOptions,
  wholeNumber,
} from './option-table.js';

/** What is limited, and how. What is left out is as declared; `false`: no limit; without any limit: all as declared. */
export interface LimitSettings {
  /** The jobs of one handler; default: all jobs of the queue together. */
  handler?: string;
  /** Of a handler, the jobs of one key. */
  key?: string | number;
  /** 0: nothing starts. Of the queue: `total`; of a handler: both; of a key: `perKey`. */
  concurrency?: { total?: number | false; perKey?: number | false };
  /** Of the queue: `max` and `per`; of a handler: all; of a key: `perKey`. */
  rateLimit?: RateLimitOptions | false;
}

export interface SettingOptions {
  /** For how long; default: until they are set anew. */
  for?: Duration;
}

/** Checked settings. */
export interface ReadSettings {
  readonly handler: string | undefined;
  readonly key: string | undefined;
  /** Undefined: as declared; Infinity: none. No limits at all: what was set ends. */
  readonly limits: Limits | undefined;
  /** Milliseconds. */
  readonly lasts: number | undefined;
}

/** @throws InvalidOptionError naming the key */
export function readLimitSettings(
  settings: LimitSettings,
  options: SettingOptions | undefined,
  where: string,
): ReadSettings {
  const { handler, key, concurrency, rateLimit: rates } = readOptions(settings, SETTINGS, where);
  const { for: lasts } = readOptions(options ?? {}, OPTIONS, where);
  if (key !== undefined && handler === undefined) {
    const problem = 'is missing: a key is one of a handler';
    throw new InvalidOptionError({ option: 'handler', problem, where });
  }
  const limits = {
    total: concurrency?.total,
    perKey: concurrency?.perKey,
    rate: rates === false ? NO_RATE : rates?.rate,
    keyRate: rates === false ? NO_RATE : rates?.keyRate,
  };
  const usable = key !== undefined ? OF_KEY : handler !== undefined ? OF_HANDLER : OF_QUEUE;
  for (const [name, option] of Object.entries(OPTION_NAMES)) {
    const limit = limits[name as keyof Limits];
    if (limit === undefined || rates === false || usable.has(name)) continue;
    const problem =
      key === undefined ? 'holds for a handler: say which' : 'cannot be said of a single key';
    throw new InvalidOptionError({ option, problem, where });
  }
  const isSet = Object.values(limits).some((limit) => limit !== undefined);
  return {
    handler,
    key: key === undefined ? undefined : readKey(key, where),
    limits: isSet ? limits : undefined,
    lasts,
  };
}

const NO_RATE: Rate = { max: Infinity, per: Infinity };

const OPTION_NAMES = {
  total: 'concurrency.total',
  perKey: 'concurrency.perKey',
  rate: 'rateLimit.max',
  keyRate: 'rateLimit.perKey',
} as const;

const OF_QUEUE: ReadonlySet<string> = new Set(['total', 'rate']);
const OF_HANDLER: ReadonlySet<string> = new Set(['total', 'perKey', 'rate', 'keyRate']);
const OF_KEY: ReadonlySet<string> = new Set(['perKey', 'keyRate']);

/** Infinity: none. */
const numberOrNone: OptionRule<number> = (value, option, where) =>
  value === false ? Infinity : wholeNumber(0)(value, option, where);

const CONCURRENCY = optionTable<{ total?: number | false; perKey?: number | false }>()({
  total: optional(numberOrNone),
  perKey: optional(numberOrNone),
});

const SETTINGS = optionTable<LimitSettings>()({
  handler: optional(jobName),
  key: optional((value) => value as string | number),
  concurrency: optional((value, option, where) => readOptions(value, CONCURRENCY, where, option)),
  rateLimit: optional((value, option, where) =>
    value === false ? (false as const) : rateLimit(value, option, where),
  ),
});

const OPTIONS = optionTable<SettingOptions>()({ for: optional(durationAboveZero) });
