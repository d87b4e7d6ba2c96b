import { GuardedRuns, readRuns } from '../../../lib/redis/guarded-runs.js';

const PAST = -1000;
const LATER = 60_000;

describe('the runs that the lease guard keeps', () => {
  let memory: SharedArrayBuffer;
  let runs: GuardedRuns;
  const add = (number: number, inMs: number, queue = 0) => {
    const execution = `token${number.toString(16).padStart(16, '0')}`;
    return runs.add(queue, execution, performance.now() + inMs);
  };

  beforeEach(() => {
    runs = new GuardedRuns((larger) => (memory = larger));
    ({ memory } = runs);
  });

  it('are over when their own deadline has passed, whatever others may', () => {
    expect(readRuns(memory)).toEqual({ isAnyAllowed: false, over: [] });
    add(10, PAST);
    add(11, LATER);
    add(255, PAST, 3);
    expect(readRuns(memory)).toEqual({
      isAnyAllowed: true,
      over: [
        { queue: 0, digits: '000000000000000a' },
        { queue: 3, digits: '00000000000000ff' },
      ],
    });
  });

  it('have no end without a deadline, and another one after a sign of life', () => {
    add(1, Infinity);
    const place = add(2, PAST);
    runs.move(place, performance.now() + LATER);
    expect(readRuns(memory)).toEqual({ isAnyAllowed: true, over: [] });
  });

  it('count no more when they have ended: a long one holds nothing that comes after it', () => {
    runs.remove(add(1, LATER));
    add(2, PAST);
    expect(readRuns(memory)).toEqual({
      isAnyAllowed: false,
      over: [{ queue: 0, digits: '0000000000000002' }],
    });
  });

  it('may be any number: the memory grows, and places are used again', () => {
    const first = memory;
    const places = Array.from({ length: 500 }, (_, number) => add(number + 1, PAST));
    const { over } = readRuns(memory);
    expect(over).toHaveLength(500);
    expect(over.at(-1)).toEqual({ queue: 0, digits: '00000000000001f4' });
    const grown = memory;
    expect(grown).not.toBe(first);
    for (const place of places) runs.remove(place);
    for (let number = 1; number <= 500; number += 1) add(number, LATER);
    expect(memory).toBe(grown);
    expect(readRuns(memory)).toEqual({ isAnyAllowed: true, over: [] });
  });
});
