import {
  InvalidOptionError,
  PayloadTooLargeError,
  UnserializableDataError,
  checkOptions,
} from '../../job/index.js';
import { SCHEDULED_JOB_KEYS, defaultScheduleId } from '../../schedule/index.js';
import type { OwnDefinition } from '../../worker/index.js';
import type { ProviderMethods } from '../discovery/provider-methods.js';
import { readHandlerOptions } from '../handlers/handler-options.js';
import { jobHandlersOf } from '../handlers/job-metadata.js';
import * as problems from '../problems.js';
import type { QueueCatalog } from '../queues/queue-catalog.js';
import { type ScheduleMark, schedulesOf } from './schedule-metadata.js';

/** A `@Schedule` of one root, checked, and the method that it stands on. */
export interface FoundSchedule {
  readonly definition: OwnDefinition;
  /** For messages: `Reports.daily in ReportsModule`. */
  readonly owner: string;
}

/**
 * Finds the schedules of one root. Each `@Job` of the method is scheduled.
 *
 * @throws InvalidOptionError naming method and module: a time that is impossible or never comes, data that JSON cannot
 * hold, a method without `@Job`, an id that two schedules have
 */
export function findSchedules(
  root: string,
  methods: ProviderMethods,
  queues: QueueCatalog,
): FoundSchedule[] {
  const found = new Map<string, FoundSchedule>();
  for (const { method, mark, type, owner } of methods.marked('@Schedule', schedulesOf)) {
    const where = `@Schedule on ${owner}`;
    checkOptions(mark.options, KEYS, '', where);
    const handlers = jobHandlersOf(type.prototype as object).get(method) ?? [];
    if (handlers.length === 0) {
      throw new InvalidOptionError({ option: '@Job', problem: problems.scheduleWithoutJob, where });
    }
    for (const handler of handlers) {
      const job = readHandlerOptions(handler, method, type, owner);
      if (job.root !== root) continue;
      const definition = definitionOf(mark, job, queues, where);
      const other = found.get(definition.id);
      if (other) {
        const problem = problems.scheduleTwice(definition.id, other.owner);
        throw new InvalidOptionError({ option: 'id', problem, where });
      }
      found.set(definition.id, { definition, owner });
    }
  }
  return [...found.values()];
}

function definitionOf(
  { when, options }: ScheduleMark,
  { queue, name }: { readonly queue: string; readonly name: string },
  queues: QueueCatalog,
  where: string,
): OwnDefinition {
  const { id = defaultScheduleId(queue, name), data, tz, ...rest } = options;
  try {
    return queues.get(queue).scheduleInCode({ id, when, tz, name, data, options: rest }, where);
  } catch (error) {
    if (!(error instanceof UnserializableDataError) && !(error instanceof PayloadTooLargeError)) {
      throw error;
    }
    const problem = problems.scheduleDataImpossible(error.message);
    throw new InvalidOptionError({ option: 'data', problem, where });
  }
}

const KEYS: ReadonlySet<string> = new Set([
  'id',
  'tz',
  'data',
  'missed',
  'overlap',
  'immediately',
  ...SCHEDULED_JOB_KEYS,
]);
