import {
  InvalidOptionError,
  type JobOptions,
  assertJobId,
  checkOptions,
  flag,
  isObject,
  oneOf,
  otherwise,
} from '../job/index.js';
import type { MissedRule } from './due-ticks.js';

/** Options of a schedule; those of its jobs are as for `enqueue`. */
export interface ScheduleOptions extends ScheduledJobOptions {
  /**
   * What becomes of ticks at whose time nobody was there: `'once'` (default) makes one job for the latest of them,
   * `'skip'` only if that is at most a minute late, `'all'` makes a job for each, at most 1000.
   */
  missed?: MissedRule;
  /** `false`: no job while the last one waits, runs or is to be retried. Default `true`: jobs may queue up. */
  overlap?: boolean;
  /** Also once as soon as it is stored for the first time; default `false`. */
  immediately?: boolean;
  /** Positional and keyword arguments in place of data, for a Python worker. */
  call?: {
    readonly args?: readonly unknown[];
    readonly kwargs?: Readonly<Record<string, unknown>>;
  };
}

/** What the jobs of a schedule may be told, see {@link JobOptions}. */
export type ScheduledJobOptions = Pick<
  JobOptions,
  | 'retry'
  | 'timeout'
  | 'ttl'
  | 'resultTtl'
  | 'failureTtl'
  | 'atFront'
  | 'meta'
  | 'description'
  | 'key'
>;

/** Checked; the job's own options are read where they are filled up with defaults. */
export interface ReadScheduleOptions {
  readonly missed: MissedRule;
  readonly overlap: boolean;
  readonly immediately: boolean;
  readonly call:
    | { readonly args: readonly unknown[]; readonly kwargs: Readonly<Record<string, unknown>> }
    | undefined;
  readonly job: ScheduledJobOptions | undefined;
}

/** @throws InvalidOptionError naming the key */
export function readScheduleOptions(
  options: ScheduleOptions | undefined,
  where: string | undefined,
): ReadScheduleOptions {
  if (options !== undefined) checkOptions(options, KEYS, '', where);
  const { missed, overlap, immediately, call, ...job } = options ?? {};
  return {
    missed: otherwise('once', oneOf('once', 'skip', 'all'))(missed, 'missed', where),
    overlap: otherwise(true, flag)(overlap, 'overlap', where),
    immediately: flag(immediately, 'immediately', where),
    call: readCall(call, where),
    job: Object.keys(job).length > 0 ? job : undefined,
  };
}

/**
 * The id of a schedule: shorter than a job's, since it begins those of its jobs.
 * @throws InvalidOptionError (option `id`)
 */
export function assertScheduleId(id: unknown, where?: string): asserts id is string {
  assertJobId(id, where);
  if (id.length <= LONGEST_ID) return;
  const problem = `must be at most ${LONGEST_ID} characters long: the ids of its jobs begin with it`;
  throw new InvalidOptionError({ option: 'id', problem, value: id, where });
}

/** The id of a schedule that is given none. */
export function defaultScheduleId(queue: string, name: string): string {
  return `${queue}-${name}`.replace(/[^A-Za-z0-9_-]/g, '-').slice(0, LONGEST_ID);
}

function readCall(value: unknown, where: string | undefined): ReadScheduleOptions['call'] {
  if (value === undefined) return undefined;
  checkOptions(value, CALL_KEYS, 'call', where);
  const { args = [], kwargs = {} } = value as NonNullable<ScheduleOptions['call']>;
  if (!Array.isArray(args)) {
    throw new InvalidOptionError({ option: 'call.args', problem: 'must be a list', where });
  }
  if (!isObject(kwargs)) {
    throw new InvalidOptionError({ option: 'call.kwargs', problem: 'must be an object', where });
  }
  return { args, kwargs };
}

const LONGEST_ID = 180;
const CALL_KEYS: ReadonlySet<string> = new Set(['args', 'kwargs']);
/** Names of the options that the jobs of a schedule may be told. */
export const SCHEDULED_JOB_KEYS = [
  'retry',
  'timeout',
  'ttl',
  'resultTtl',
  'failureTtl',
  'atFront',
  'meta',
  'description',
  'key',
] as const satisfies readonly (keyof ScheduledJobOptions)[];

const KEYS: ReadonlySet<string> = new Set([
  'missed',
  'overlap',
  'immediately',
  'call',
  ...SCHEDULED_JOB_KEYS,
]);
