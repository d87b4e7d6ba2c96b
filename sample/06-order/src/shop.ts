// Stands for the systems of others: a warehouse and a bank, in memory.
import { Injectable } from '@nestjs/common';
import { FailJob } from 'nestjs-rq';
import type { Item } from './order.js';

@Injectable()
export class Warehouse {
  private readonly reserved = new Map<string, Set<string>>();
  private readonly soldOut = new Set(['samovar']);

  reserve({ order, article }: Item): string {
    // Another attempt would find the same empty shelf.
    if (this.soldOut.has(article)) throw new FailJob(`${article} is sold out`);
    const articles = this.reserved.get(order) ?? new Set();
    this.reserved.set(order, articles.add(article));
    return `shelf ${article.length}`;
  }

  release(order: string): void {
    this.reserved.delete(order);
  }

  /** How many articles are put aside for an order. */
  countOf(order: string): number {
    return this.reserved.get(order)?.size ?? 0;
  }

  restock(article: string): void {
    this.soldOut.delete(article);
  }
}

/** Which card pays for an order. A job knows the order only: what is secret does not belong into its data. */
@Injectable()
export class Cards {
  private readonly cards = new Map<string, string>();

  use(order: string, card: string): void {
    this.cards.set(order, card);
  }

  charge(order: string, cents: number): string {
    // Another attempt with the same card would end in the same way.
    if (this.cards.get(order) === 'expired') throw new FailJob('the card has expired');
    return `receipt of ${cents / 100} EUR`;
  }
}
