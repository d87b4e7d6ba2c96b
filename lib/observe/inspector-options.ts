import {
  type Duration,
  InvalidOptionError,
  assertQueueName,
  duration,
  flag,
  jobName,
  numberAboveZero,
  optionTable,
  optional,
  otherwise,
  toMilliseconds,
  wholeNumber,
} from '../job/index.js';
import type { OperationOptions } from './operation.js';
import type { SearchOptions } from './search.js';

/** What the inspector's methods take, as tables. */

export const OVERVIEW_OPTIONS = optionTable<{ queues?: readonly string[]; live?: boolean }>()({
  queues: optional(queueNames),
  live: flag,
});
export const MUTE_OPTIONS = optionTable<{ for?: Duration }>()({ for: otherwise('1h', duration) });
export const FINDINGS_OPTIONS = optionTable<{ queues?: readonly string[] }>()({
  queues: optional(queueNames),
});
export const RECOVER_OPTIONS = optionTable<{ patience?: Duration }>()({
  patience: otherwise('30s', duration),
});
export const HISTORY_OPTIONS = optionTable<{ last?: Duration; job?: string }>()({
  last: otherwise('1h', upTo90Days),
  job: optional(jobName),
});
export const SEARCH_OPTIONS = optionTable<SearchOptions>()({
  budget: otherwise(10_000, wholeNumber(1)),
  signal: optional(abortSignal),
});
export const OPERATION_OPTIONS = optionTable<OperationOptions>()({
  rate: optional(numberAboveZero),
  dryRun: flag,
});

function queueNames(value: unknown, option: string, where: string | undefined): readonly string[] {
  if (!Array.isArray(value)) {
    throw new InvalidOptionError({ option, problem: 'must be a list of queues', value, where });
  }
  for (const name of value as unknown[]) assertQueueName(name, where);
  return value as readonly string[];
}

function upTo90Days(value: unknown, option: string, where: string | undefined): number {
  const milliseconds = toMilliseconds(value as Duration, option, where);
  if (milliseconds > 0 && milliseconds <= LONGEST_HISTORY_MS) return milliseconds;
  throw new InvalidOptionError({ option, problem: 'must be up to 90 days', value, where });
}

const LONGEST_HISTORY_MS = 90 * 86_400_000;

function abortSignal(value: unknown, option: string, where: string | undefined): AbortSignal {
  if (value instanceof AbortSignal) return value;
  throw new InvalidOptionError({ option, problem: 'must be an AbortSignal', where });
}
