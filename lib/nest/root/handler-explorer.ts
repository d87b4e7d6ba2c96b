import { InvalidOptionError } from '../../job/index.js';
import { HandlerRegistry } from '../../worker/index.js';
import type { HandlerBinder } from '../handlers/apply-enhancers.js';
import { readHandlerOptions } from '../handlers/handler-options.js';
import { INVALID_PAYLOAD_ERRORS } from '../handlers/non-retryable-payload.js';
import { jobHandlersOf } from '../handlers/job-metadata.js';
import {
  type FoundAlertListener,
  alertListenersOf,
  readAlertListener,
} from '../alerts/alert-metadata.js';
import type { FoundListener } from '../listeners/job-listeners.js';
import { readListenerOptions } from '../listeners/listener-options.js';
import { jobListenersOf } from '../listeners/listener-metadata.js';
import type { QueueCatalog } from '../queues/queue-catalog.js';
import { type FoundSchedule, findSchedules } from '../schedules/find-schedules.js';
import * as problems from '../problems.js';
import type { ProviderMethods } from '../discovery/provider-methods.js';

/** Finds the `@Job`, `@OnJob` and `@Schedule` methods of an application that belong to one root. */
export class HandlerExplorer {
  /**
   * @param root whose handlers are wanted
   * @param knownRoots all roots of the application: a handler of any other would never run
   */
  constructor(
    private readonly root: string,
    private readonly knownRoots: readonly string[],
    private readonly methods: ProviderMethods,
    private readonly binder: Pick<HandlerBinder, 'bind' | 'bindBatch' | 'bindListener'>,
  ) {}

  /**
   * @throws DuplicateHandlerError when two methods want the same name on the same queue
   * @throws InvalidOptionError when a `@Job` is impossible
   */
  handlers(): HandlerRegistry {
    const registry = new HandlerRegistry();
    for (const { wrapper, method, mark, type, owner } of this.methods.marked(
      '@Job',
      jobHandlersOf,
    )) {
      const read = readHandlerOptions(mark, method, type, owner);
      const { root, reportsProgress, items, batch, ...options } = read;
      const where = `@Job on ${owner}`;
      this.assertKnown(root, where);
      if (root !== this.root) continue;
      const common = { ...options, owner, nonRetryable: INVALID_PAYLOAD_ERRORS };
      if (batch) {
        const bound = this.binder.bindBatch(wrapper, method, items, where);
        registry.register({ ...common, ...bound, batch });
      } else {
        registry.register({ ...common, run: this.binder.bind(wrapper, method, reportsProgress) });
      }
    }
    return registry;
  }

  /** @throws InvalidOptionError when an `@OnJob` is impossible */
  listeners(): FoundListener[] {
    const listeners: FoundListener[] = [];
    for (const { wrapper, method, mark, owner } of this.methods.marked('@OnJob', jobListenersOf)) {
      const where = `@OnJob on ${owner}`;
      const { root, ...read } = readListenerOptions(mark.options, where);
      this.assertKnown(root, where);
      if (root !== this.root) continue;
      const run = this.binder.bindListener(wrapper, method);
      listeners.push({ ...read, types: mark.types, owner: where, run });
    }
    return listeners;
  }

  /** @throws InvalidOptionError when an `@OnAlert` is impossible */
  alertListeners(): FoundAlertListener[] {
    const listeners: FoundAlertListener[] = [];
    for (const { wrapper, method, mark, owner } of this.methods.marked(
      '@OnAlert',
      alertListenersOf,
    )) {
      const where = `@OnAlert on ${owner}`;
      const { root, ...read } = readAlertListener(mark, where);
      this.assertKnown(root, where);
      if (root !== this.root) continue;
      const call = this.binder.bindListener(wrapper, method);
      listeners.push({ ...read, owner: where, run: (alert) => call(alert) });
    }
    return listeners;
  }

  /** @throws InvalidOptionError when a `@Schedule` is impossible, or two have the same id */
  schedules(queues: QueueCatalog): FoundSchedule[] {
    return findSchedules(this.root, this.methods, queues);
  }

  private assertKnown(root: string, where: string): void {
    if (!this.knownRoots.includes(root)) {
      const problem = problems.noSuchRoot(root, this.knownRoots);
      throw new InvalidOptionError({ option: 'root', problem, where });
    }
  }
}
