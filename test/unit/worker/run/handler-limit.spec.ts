import { HandlerLimit } from '../../../../lib/worker/run/handler-limit.js';
import { RegisteredHandler } from '../../../../lib/worker/run/handler-registry.js';

function handler(concurrency?: number): RegisteredHandler {
  return new RegisteredHandler({ queue: 'q', name: 'n', owner: 'A.n', run: () => 1, concurrency });
}

describe('a handler without a limit', () => {
  it('is never waited for', () => {
    const gate = new HandlerLimit<number>();
    const free = handler();
    for (let job = 0; job < 1000; job += 1) expect(gate.enter(free, job)).toBe('start');
    expect(gate.leave(free, 5)).toBeUndefined();
    expect([...gate.waiting()]).toEqual([]);
  });
});

describe('a handler with a limit', () => {
  it('starts as many, lets as many again wait, and sends the rest away for a while', () => {
    const gate = new HandlerLimit<string>();
    const two = handler(2);

    expect(['a', 'b'].map((job) => gate.enter(two, job))).toEqual(['start', 'start']);
    expect(['c', 'd'].map((job) => gate.enter(two, job))).toEqual(['wait', 'wait']);
    expect(gate.enter(two, 'e')).toEqual({ delay: 250 });
    expect([...gate.waiting()]).toEqual(['c', 'd']);
  });

  it('passes its slot on to those who wait, in order', () => {
    const gate = new HandlerLimit<string>();
    const one = handler(1);
    gate.enter(one, 'a');
    gate.enter(one, 'b');

    expect(gate.leave(one, 1)).toBe('b');
    expect(gate.enter(one, 'c')).toBe('wait');
    expect(gate.leave(one, 1)).toBe('c');
    expect(gate.leave(one, 1)).toBeUndefined();
    expect(gate.enter(one, 'd')).toBe('start');
  });

  it('sends jobs away for about as long as they would have to wait, within bounds', () => {
    const gate = new HandlerLimit<string>();
    const one = handler(1);
    gate.enter(one, 'first');
    for (let round = 0; round < 100; round += 1) {
      gate.enter(one, 'next');
      gate.leave(one, 1000);
    }
    gate.enter(one, 'waits');

    const delays = Array.from({ length: 100 }, () => gate.enter(one, 'away')).map((entry) =>
      typeof entry === 'object' ? entry.delay : 0,
    );

    expect(delays[0]).toBeGreaterThanOrEqual(1000);
    expect(delays[1]).toBeGreaterThan(delays[0] as number);
    expect(Math.max(...delays)).toBe(60_000);
  });

  it('does not hold up another handler', () => {
    const gate = new HandlerLimit<string>();
    const [busy, other] = [handler(1), handler(1)];
    gate.enter(busy, 'a');
    expect(gate.enter(other, 'b')).toBe('start');
  });

  it('gives up those who wait: all at the end, one when its job is canceled', () => {
    const gate = new HandlerLimit<string>();
    const [two, other] = [handler(2), handler(1)];
    for (const job of ['a', 'b', 'c', 'd']) gate.enter(two, job);
    for (const job of ['x', 'y']) gate.enter(other, job);

    expect(gate.remove((job) => job === 'c')).toBe('c');
    expect(gate.remove((job) => job === 'c')).toBeUndefined();
    expect(gate.removeAll().toSorted()).toEqual(['d', 'y']);
    expect(gate.removeAll()).toEqual([]);
    expect(gate.leave(two, 1)).toBeUndefined();
  });
});
