// The steps of an order know nothing of each other. Each has a queue of its own, and could have a worker of its own.
import { Injectable } from '@nestjs/common';
import { Job } from 'nestjs-rq';
import type { Item, Order, Parcel, Receipt } from './order.js';
import { Cards, Warehouse } from './shop.js';

@Injectable()
export class StockJobs {
  constructor(private readonly warehouse: Warehouse) {}

  /** One job for each article; all of an order are a group. */
  @Job('stock')
  reserve(item: Item): string {
    return this.warehouse.reserve(item);
  }

  /** Waits for that group. */
  @Job('stock')
  pack({ articles }: Order): Parcel {
    return { contents: articles.join(' and ') };
  }
}

@Injectable()
export class PaymentJobs {
  constructor(private readonly cards: Cards) {}

  @Job({ queue: 'payments', retry: { max: 3, interval: 5 } })
  charge({ id, cents }: Order): Receipt {
    return { text: this.cards.charge(id, cents), paidAt: new Date() };
  }
}

@Injectable()
export class LabelJobs {
  @Job('labels')
  print({ id }: Order): string {
    return `label ${id}`;
  }
}
