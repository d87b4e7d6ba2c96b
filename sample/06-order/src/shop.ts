// Stands for the systems of others: a warehouse, a bank and a carrier, all in memory.
import { Injectable } from '@nestjs/common';
import { FailJob } from 'nestjs-rq';

@Injectable()
export class Warehouse {
  private readonly reserved = new Map<string, string>();

  reserve(order: string, article: string): string {
    const place = this.reserved.get(order) ?? `shelf ${article.length}`;
    this.reserved.set(order, place);
    return place;
  }

  release(order: string): void {
    this.reserved.delete(order);
  }

  isReserved(order: string): boolean {
    return this.reserved.has(order);
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
