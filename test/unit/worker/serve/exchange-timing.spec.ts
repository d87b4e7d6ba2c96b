import { jest } from '@jest/globals';
import { ExchangeTiming } from '../../../../lib/worker/serve/exchange-timing.js';
import { type Deferred, deferred } from '../../../support/wait.js';

/** Notes what is done and when; `exchange` puts an exchange under way as long as `sends` says so. */
class Work {
  readonly done: string[] = [];
  search: Deferred<void> = deferred();
  sends = false;
  timing!: ExchangeTiming;

  exchange(): void {
    this.done.push('exchange');
    if (this.sends) this.timing.sent();
  }

  askNow(): void {
    this.done.push('ask');
  }

  returnOrphans(): Promise<void> {
    this.done.push('search');
    this.search = deferred();
    return this.search.promise;
  }

  searchFailed(error: unknown): void {
    this.done.push(`search failed: ${(error as Error).message}`);
  }
}

describe('the time to exchange', () => {
  let work: Work;
  let timing: ExchangeTiming;

  const endOfTurn = () => jest.advanceTimersByTimeAsync(0);
  const fails = (isUncertain = false) => {
    timing.sent();
    timing.returned();
    timing.failed(isUncertain);
  };

  beforeEach(() => {
    jest.useFakeTimers();
    work = new Work();
    timing = new ExchangeTiming(work);
    work.timing = timing;
  });

  afterEach(async () => {
    timing.close();
    await endOfTurn();
    const timersLeft = jest.getTimerCount();
    jest.useRealTimers();
    if (timersLeft > 0) throw new Error('A closed consumer has left a timer.');
  });

  it('is the end of the turn, once for all that came up in it', async () => {
    timing.start();
    timing.planExchange();
    timing.planExchange();
    expect(work.done).toEqual([]);
    await endOfTurn();
    expect(work.done).toEqual(['exchange']);

    timing.planExchange();
    await endOfTurn();
    expect(work.done).toEqual(['exchange', 'exchange']);
  });

  it('is not while two are under way', () => {
    work.sends = true;
    for (let round = 0; round < 3; round += 1) timing.exchangeNow();
    expect(work.done).toHaveLength(2);

    timing.returned();
    timing.exchangeNow();
    expect(work.done).toHaveLength(3);
    expect(timing.isIdle).toBe(false);
    timing.returned();
    timing.returned();
    expect(timing.isIdle).toBe(true);
  });

  it.each([
    ['starting', () => undefined],
    ['serving', () => timing.start()],
    ['stopping', () => timing.stop()],
  ])('is any while %s', (mode, arrive) => {
    arrive();
    timing.exchangeNow();
    expect(timing.mode.current).toBe(mode);
    expect(work.done).toEqual(['exchange']);
  });

  it.each([
    ['a refusal, each time for longer, up to half a second', [50, 100, 200, 400, 500, 500], false],
    ['a lost answer, up to two seconds', [50, 100, 200, 400, 800, 1600, 2000, 2000], true],
  ])('is put off by %s', async (_, delays, isUncertain) => {
    timing.start();
    await endOfTurn();
    const next = isUncertain ? 'search' : 'ask';
    for (const delay of delays) {
      work.done.length = 0;
      fails(isUncertain);
      await jest.advanceTimersByTimeAsync(delay - 1);
      timing.exchangeNow();
      timing.planExchange();
      await endOfTurn();
      expect(work.done).toEqual([]);
      expect(timing.mode.current).toBe('backing off');

      await jest.advanceTimersByTimeAsync(1);
      expect(work.done).toEqual([next]);
      work.search.resolve();
      await endOfTurn();
      expect(timing.mode.current).toBe('serving');
    }
    timing.answered();
    fails();
    work.done.length = 0;
    await jest.advanceTimersByTimeAsync(50);
    expect(work.done).toEqual(['ask']);
  });

  it('comes at once when Redis is reachable again', () => {
    timing.start();
    fails();
    timing.reconnected();
    expect(work.done).toEqual(['ask']);
    timing.reconnected();
    expect(work.done).toEqual(['ask']);
  });

  it('comes only after the other exchange has ended', async () => {
    timing.start();
    timing.sent();
    fails();
    await jest.advanceTimersByTimeAsync(500);
    expect(work.done).toEqual([]);
    expect(timing.mode.current).toBe('backing off');

    timing.returned();
    await jest.advanceTimersByTimeAsync(50);
    expect(work.done).toEqual(['ask']);
  });

  it('is put off once, for longer, when both exchanges fail', async () => {
    timing.start();
    await endOfTurn();
    work.done.length = 0;
    timing.sent();
    fails();
    timing.returned();
    timing.failed(false);
    await jest.advanceTimersByTimeAsync(99);
    expect(work.done).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(work.done).toEqual(['ask']);
  });

  it('comes after the search for orphans when an answer was lost', async () => {
    timing.start();
    await endOfTurn();
    work.done.length = 0;
    fails(true);
    await jest.advanceTimersByTimeAsync(50);
    expect(work.done).toEqual(['search']);
    expect(timing.mode.current).toBe('searching');
    timing.exchangeNow();
    timing.reconnected();
    expect(work.done).toEqual(['search']);

    work.search.resolve();
    await endOfTurn();
    expect(work.done).toEqual(['search', 'ask']);
    expect(timing.mode.current).toBe('serving');

    // They were found: the next failure is a new one.
    fails();
    await jest.advanceTimersByTimeAsync(2000);
    expect(work.done).toEqual(['search', 'ask', 'ask']);
  });

  it('does not come before a search has succeeded', async () => {
    timing.start();
    fails(true);
    await jest.advanceTimersByTimeAsync(50);
    work.done.length = 0;
    work.search.reject(new Error('away again'));
    await endOfTurn();
    expect(work.done).toEqual(['search failed: away again']);
    expect(timing.mode.current).toBe('backing off');

    await jest.advanceTimersByTimeAsync(100);
    expect(work.done).toEqual(['search failed: away again', 'search']);
    work.search.resolve();
    await endOfTurn();
    expect(work.done.slice(2)).toEqual(['ask']);
  });

  it('still needs the search when the second failure is a certain one', async () => {
    timing.start();
    timing.sent();
    fails(true);
    timing.returned();
    timing.failed(false);
    work.done.length = 0;
    await jest.advanceTimersByTimeAsync(100);
    expect(work.done).toEqual(['search']);
  });

  it.each(['backing off', 'searching'] as const)(
    'told to stop while %s, goes on stopping',
    async (mode) => {
      timing.start();
      fails(mode === 'searching');
      if (mode === 'searching') await jest.advanceTimersByTimeAsync(50);
      expect(timing.mode.current).toBe(mode);
      timing.stop();
      expect(timing.mode.current).toBe(mode);

      if (mode === 'searching') work.search.resolve();
      await jest.advanceTimersByTimeAsync(50);
      expect(timing.mode.current).toBe('stopping');
      expect(work.done.at(-1)).toBe('ask');
    },
  );

  it.each(['serving', 'backing off', 'searching'] as const)(
    'never comes after close while %s',
    async (mode) => {
      timing.start();
      if (mode !== 'serving') fails(mode === 'searching');
      if (mode === 'searching') await jest.advanceTimersByTimeAsync(50);
      expect(timing.mode.current).toBe(mode);
      work.done.length = 0;

      timing.close();
      work.search.resolve();
      timing.exchangeNow();
      timing.planExchange();
      fails(true);
      timing.reconnected();
      await jest.advanceTimersByTimeAsync(10_000);
      expect(work.done.filter((what) => what !== 'ask')).toEqual([]);
      expect(timing.mode.current).toBe('closed');
    },
  );
});
