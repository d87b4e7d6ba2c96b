import type { JobEventType } from '../../job/index.js';
import { addJobListener, type JobListenerOptions } from '../listeners/listener-metadata.js';
import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';

/**
 * Makes a provider's method hear what becomes of jobs. It is called with the event and the job's handle, as an ordinary
 * Nest method: parameter decorators, enhancers and request scope apply as for `@Job`. What it throws is logged and harms
 * nothing; workers do not wait for it. `app.close()` does, for as long as for running jobs.
 *
 * @param types one event or several: `started`, `progress`, `retrying`, `finished`, `exhausted`, `failed`, `canceled`,
 * `lost`
 * @param options of which jobs; default: all that this process's worker runs
 * @throws TypeError when it does not stand on an instance method with an ordinary name, or there is no such event
 *
 * @example
 * @OnJob('exhausted', { queue: 'payments' })
 * async alert(event: ExhaustedEvent, job: RqJob) {
 *   await this.pager.page(`${event.name} ${event.jobId}: ${event.error.message}`);
 * }
 */
export function OnJob(
  types: JobEventType | readonly JobEventType[],
  options?: JobListenerOptions,
): OnJobDecorator;
export function OnJob(
  ...given: [JobEventType | readonly JobEventType[], JobListenerOptions?]
): OnJobDecorator {
  assertCalled(isTarget(given, 'object'), 'OnJob', "@OnJob('failed')");
  const [types, options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'OnJob');
    const list = typeof types === 'string' ? [types] : [...types];
    addJobListener(target, key, descriptor.value, { types: list, options: { ...options } });
  };
}

/** A decorator of methods; on anything else it does not compile. */
export type OnJobDecorator = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;
