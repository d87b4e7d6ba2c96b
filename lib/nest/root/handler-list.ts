import type { HandlerRegistry } from '../../worker/index.js';
import type { FoundListener } from '../listeners/job-listeners.js';
import type { FoundSchedule } from '../schedules/find-schedules.js';
import * as lines from '../log-lines.js';
import { RqLogger } from '../rq-logger.js';

/**
 * What was found, one line each, as Nest lists an application's routes at start. A handler or a listener without a line
 * was not found. One that is of no use here has a line that says why.
 */
export class HandlerList {
  private readonly logger = new RqLogger('RqExplorer');

  constructor(private readonly root: string) {}

  /**
   * @param served the queues of the worker; none: there is no worker
   * @param areFired this process fires schedules
   */
  print(
    handlers: HandlerRegistry | undefined,
    listeners: readonly FoundListener[],
    served: readonly string[],
    schedules: readonly FoundSchedule[],
    areFired: boolean,
    alertListeners: readonly { readonly owner: string }[],
  ): void {
    for (const queue of served) {
      for (const name of handlers?.names(queue) ?? []) {
        const owner = handlers?.find(queue, name)?.owner ?? '';
        this.logger.log(lines.handlerMapped(this.root, queue, name, owner));
      }
    }
    for (const { definition } of schedules) {
      this.logger.log(lines.scheduleFound(this.root, definition, areFired));
    }
    for (const { owner } of alertListeners) {
      this.logger.log(lines.alertListenerMapped(this.root, owner));
    }
    for (const listener of listeners) {
      const { queue, everywhere } = listener;
      const isDeaf =
        !everywhere && (served.length === 0 || (queue !== undefined && !served.includes(queue)));
      this.logger.log(lines.listenerMapped(this.root, listener, isDeaf));
    }
  }
}
