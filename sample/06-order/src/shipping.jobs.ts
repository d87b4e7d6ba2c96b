// The two jobs that wait for the three steps: one for their success, one for their end, whatever that is.
import { Injectable, Logger } from '@nestjs/common';
import { Job, RunningJob } from 'nestjs-rq';
import type { Order, Parcel, Receipt } from './order.js';
import { Warehouse } from './shop.js';

@Injectable()
export class ShippingJobs {
  private readonly logger = new Logger('Shipping');

  constructor(private readonly warehouse: Warehouse) {}

  /**
   * What it declares is what `enqueue` and `prepare` demand: a job that does not wait for a parcel, a receipt and a text,
   * in this order, does not compile.
   */
  @Job('shipping')
  async dispatch(
    order: Order,
    job: RunningJob<Order, string, [Parcel, Receipt, string]>,
  ): Promise<string> {
    const [{ contents }, { text, paidAt }, label] = await job.parentResults();
    // What was reserved may have been released since.
    for (const article of order.articles) this.warehouse.reserve({ order: order.id, article });
    // JSON made a text of the date.
    const day = paidAt.slice(0, 10);
    return `${contents}, ${label}, ${text} of ${day}`;
  }

  /** Enqueued with `ifFailed: 'run'`: it runs when all three are over, and looks how they ended. */
  @Job('shipping')
  async makeGood(order: Order, job: RunningJob): Promise<string> {
    const statuses = await Promise.all((await job.parents()).map((step) => step.status()));
    if (statuses.every((status) => status === 'finished')) return 'nothing to do';
    this.warehouse.release(order.id);
    this.logger.warn(`order ${order.id} cannot be sent (${statuses.join(', ')})`);
    return 'what was reserved is released';
  }
}
