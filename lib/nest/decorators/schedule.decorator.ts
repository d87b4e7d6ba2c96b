import type { When } from '../../schedule/index.js';
import { type ScheduleDecoratorOptions, addSchedule } from '../schedules/schedule-metadata.js';
import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';

/**
 * Has a job for this method enqueued at each tick, once for all processes of the application. It stands beside `@Job`,
 * which says what is done and where; this says when. It is in force while a process with this code runs: what a deploy
 * changes or removes follows by itself (docs/schedules.md).
 *
 * @param when a cron expression (5 fields, 6 with seconds first, or such as `@daily`), `{ cron, tz }`, or
 * `{ every: '5m' }`, a grid from the epoch on
 * @param options default: no data, UTC, missed ticks make one job, jobs may overlap
 * @throws TypeError when it does not stand on an instance method with an ordinary name, or has no parentheses
 *
 * @example
 * @JobsOf('reports')
 * export class Reports {
 *   @Job()
 *   @Schedule('0 9 * * 1-5', { tz: 'Europe/Berlin' })
 *   async daily(_: void, job: RunningJob) {
 *     await this.reports.send(job.tick?.at);
 *   }
 *
 *   @Job()
 *   @Schedule({ every: '5m' }, { data: { full: false }, overlap: false })
 *   async refresh(data: { full: boolean }) {}
 * }
 */
export function Schedule<const Data = undefined>(
  when: When,
  options?: ScheduleDecoratorOptions<Data>,
): ScheduleDecorator<Data>;
export function Schedule(
  ...given: [When, ScheduleDecoratorOptions?]
): ScheduleDecorator<undefined> {
  assertCalled(isTarget(given, 'object'), 'Schedule', "@Schedule('0 9 * * *')");
  const [when, options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'Schedule');
    addSchedule(target, key, descriptor.value, { when, options: { ...options } });
  };
}

/** A decorator of methods; on one whose first parameter does not take the data it does not compile. */
export type ScheduleDecorator<Data> = <
  // oxlint-disable-next-line typescript/no-explicit-any -- a parameter position: `unknown` would accept no method
  Method extends (data: Writable<Data>, ...rest: any[]) => unknown,
>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/** A literal's own type, which methods that declare no `readonly` take too. */
type Writable<Data> = Data extends (...parameters: never[]) => unknown
  ? Data
  : Data extends object
    ? { -readonly [Key in keyof Data]: Writable<Data[Key]> }
    : Data;
