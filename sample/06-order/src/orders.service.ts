// A graph of jobs: enqueued in one step, so that there is never half an order.
import { Injectable } from '@nestjs/common';
import { InjectQueue, Queue, RqService } from 'nestjs-rq';
import type { Order } from './order.js';
import type { ShippingJobs } from './shipping.jobs.js';
import { Cards, Warehouse } from './shop.js';
import type { LabelJobs, PaymentJobs, StockJobs } from './step.jobs.js';

@Injectable()
export class OrdersService {
  constructor(
    private readonly rq: RqService,
    @InjectQueue('stock') private readonly stock: Queue<StockJobs>,
    @InjectQueue('payments') private readonly payments: Queue<PaymentJobs>,
    @InjectQueue('labels') private readonly labels: Queue<LabelJobs>,
    @InjectQueue('shipping') private readonly shipping: Queue<ShippingJobs>,
    private readonly cards: Cards,
    private readonly warehouse: Warehouse,
  ) {}

  async place(order: Order, card: string): Promise<void> {
    this.cards.use(order.id, card);
    // Ids of our own: the jobs of an order are found again without a table of them.
    const step = (name: string) => ({ id: `${order.id}-${name}` });
    // However many articles there are: one job waits for all of them.
    const group = `${order.id}-articles`;
    const reserve = order.articles.map((article) =>
      this.stock.prepare('reserve', { order: order.id, article }, { ...step(article), group }),
    );
    const pack = this.stock.prepare('pack', order, { ...step('pack'), dependsOn: { group } });
    const charge = this.payments.prepare('charge', order, step('charge'));
    const label = this.labels.prepare('print', order, step('label'));
    const steps = [pack, charge, label] as const;
    const dispatch = this.shipping.prepare('dispatch', order, {
      ...step('dispatch'),
      dependsOn: steps,
    });
    const makeGood = this.shipping.prepare('makeGood', order, {
      ...step('makeGood'),
      dependsOn: { jobs: steps, ifFailed: 'run' },
    });
    await this.rq.enqueueMany([...reserve, ...steps, dispatch, makeGood]);
  }

  /** The customer has another card. The jobs that were canceled since the first one was refused wait again. */
  async payWith(order: string, card: string): Promise<void> {
    this.cards.use(order, card);
    await this.payments.job(`${order}-charge`).requeue();
  }

  /** An article is there again. The group waits for this job, and `pack` and all behind it wait for the group. */
  async restock(order: string, article: string): Promise<void> {
    this.warehouse.restock(article);
    await this.stock.job(`${order}-${article}`).requeue();
  }

  async look(order: string) {
    const [articles, pack, charge, dispatch, makeGood] = await Promise.all([
      this.rq.group(`${order}-articles`).status(),
      this.stock.job(`${order}-pack`).refresh(),
      this.payments.job(`${order}-charge`).refresh(),
      this.shipping.job(`${order}-dispatch`).refresh(),
      this.shipping.job(`${order}-makeGood`).refresh(),
    ]);
    return {
      articles,
      pack: pack.status,
      charge: charge.status,
      dispatch: dispatch.status,
      reason: dispatch.reason,
      makeGood: makeGood.status,
      reserved: this.warehouse.countOf(order),
    };
  }

  sent(order: string): Promise<string> {
    return this.shipping.job<string>(`${order}-dispatch`).result({ timeout: '20s' });
  }
}
