// Stands for another company's service, which has an error of its own for everything.
import { Injectable } from '@nestjs/common';
import { setTimeout as pause } from 'node:timers/promises';

/** Too many calls at once: later it will be fine. */
export class LedgerBusyError extends Error {}

/** There is nothing to report, and there never will be. */
export class NoEntriesError extends Error {}

@Injectable()
export class Ledger {
  private readonly months: Record<string, number[]> = {
    '2026-01': [1200, 34.5],
    '2026-02': [],
    '2026-03': [99, 801],
  };
  private isBusy = true;

  async amounts(month: string): Promise<number[]> {
    await pause(100);
    if (month === '2026-03' && this.isBusy) {
      this.isBusy = false;
      throw new LedgerBusyError('too many calls, try again later');
    }
    const amounts = this.months[month] ?? [];
    if (amounts.length === 0) throw new NoEntriesError(`the ledger has no entries in ${month}`);
    return amounts;
  }
}
