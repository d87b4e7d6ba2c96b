import { InvalidOptionError } from './errors.js';
import { flag, optionTable, readOptions } from './option-table.js';
import { MOST_RETRIES } from './retry-interval.js';

/** How a job is put back into its queue. */
export interface RequeueOptions {
  /** To the head of the queue; default false. */
  readonly front?: boolean;
  /**
   * Default: what is left of its retries, as in RQ. `'fresh'`: as many as its own policy says, or its handler's. A number
   * from 0 to 1000: so many, with its own intervals, or else the default ones. With either, the time of `within` begins
   * again.
   */
  readonly retries?: 'fresh' | number;
  /**
   * Also a job that has finished. Default false: otherwise a call that is repeated, since its answer was lost, would run
   * a job again that it has already put back. `queue.requeue({ in: 'finished' })` says it by itself.
   */
  readonly finished?: boolean;
}

/** @throws InvalidOptionError naming the key */
export function readRequeueOptions(options: RequeueOptions = {}, where: string) {
  return readOptions(options, REQUEUE_OPTIONS, where);
}

function retries(
  value: unknown,
  option: string,
  where: string | undefined,
): 'fresh' | number | undefined {
  if (value === undefined || value === 'fresh') return value;
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= MOST_RETRIES) {
    return value as number;
  }
  const problem = `must be 'fresh' or a whole number from 0 to ${MOST_RETRIES}`;
  throw new InvalidOptionError({ option, problem, value, where });
}

const REQUEUE_OPTIONS = optionTable<RequeueOptions>()({ front: flag, retries, finished: flag });
