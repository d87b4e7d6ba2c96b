import { randomOf } from '../random-graphs.js';

/** All that is random in a round: the same for the same seed, as far as processes are as quick as before. */
export class Dice {
  private readonly next: () => number;

  constructor(readonly seed: number) {
    this.next = randomOf(seed);
  }

  /** A number of this range. */
  between(least: number, most: number): number {
    return least + this.next() * (most - least);
  }

  /** One of the list. */
  pick<Item>(items: readonly Item[]): Item {
    const item = items[Math.floor(this.next() * items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }
}
