import { OwnRooms } from '../../../../lib/worker/serve/own-rooms.js';

const gate = (perWorker: number, batch?: number) => ({ perWorker, batch });

/** Rooms of handlers of which so many jobs are here. */
function rooms(limits: Record<string, number>, here: Record<string, number> = {}) {
  const gates = Object.entries(limits).map(([name, perWorker]) => [name, gate(perWorker)] as const);
  return new OwnRooms(new Map(gates), (name) => here[name] ?? 0);
}

describe('how many jobs of a limited handler a worker takes', () => {
  it('are as many as may run besides those that are here, and not more than it wants', () => {
    const one = rooms({ a: 3, b: 10 }, { a: 1 });
    expect(one.ask(5)).toEqual([
      { name: 'a', room: 2, free: 2 },
      { name: 'b', room: 5, free: 10 },
    ]);
  });

  it('are asked for once: by the exchange that is under way', () => {
    const one = rooms({ a: 1 });
    const first = one.ask(5);
    expect(one.ask(5)).toEqual([{ name: 'a', room: 0, free: 1 }]);
    one.returned(first);
    expect(one.ask(5)).toEqual([{ name: 'a', room: 1, free: 1 }]);
  });

  it('are none, and Redis is told so, while as many run as may', () => {
    expect(rooms({ a: 1 }, { a: 1 }).ask(5)).toEqual([{ name: 'a', room: 0, free: 0 }]);
  });

  it('leave room behind where the exchange wants less: Redis then knows that there is some', () => {
    const one = rooms({ a: 2 });
    expect(one.ask(1)).toEqual([{ name: 'a', room: 1, free: 2 }]);
    expect(one.ask(1)).toEqual([{ name: 'a', room: 1, free: 2 }]);
  });

  it('are as many as a batch has with one slot, and never more than the exchange may bring', () => {
    const one = new OwnRooms(new Map([['a', gate(Infinity, 100)]]), () => 0);
    expect(one.hasBatches).toBe(true);
    expect(one.ask(5)).toEqual([{ name: 'a', room: 5, free: Infinity, batch: 100 }]);
    expect(one.ask(5, 50)).toEqual([{ name: 'a', room: 5, free: Infinity, batch: 10 }]);
    expect(one.ask(5, 3)).toEqual([{ name: 'a', room: 5, free: Infinity, batch: 1 }]);
  });

  it('are of no account where no handler is limited, or nothing is asked for', () => {
    expect(rooms({}).ask(5)).toEqual([]);
    expect(rooms({ a: 1 }).ask(0)).toEqual([]);
  });
});
