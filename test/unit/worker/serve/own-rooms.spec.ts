import { OwnRooms } from '../../../../lib/worker/serve/own-rooms.js';

/** Rooms of handlers of which so many jobs are here. */
function rooms(limits: Record<string, number>, here: Record<string, number> = {}) {
  return new OwnRooms(new Map(Object.entries(limits)), (name) => here[name] ?? 0);
}

describe('how many jobs of a limited handler a worker takes', () => {
  it('are as many as may run besides those that are here, and not more than it wants', () => {
    const one = rooms({ a: 3, b: 10 }, { a: 1 });
    expect(one.ask(5)).toEqual([
      { name: 'a', room: 2, isFull: false },
      { name: 'b', room: 5, isFull: false },
    ]);
  });

  it('are asked for once: by the exchange that is under way', () => {
    const one = rooms({ a: 1 });
    const first = one.ask(5);
    expect(one.ask(5)).toEqual([{ name: 'a', room: 0, isFull: false }]);
    one.returned(first);
    expect(one.ask(5)).toEqual([{ name: 'a', room: 1, isFull: false }]);
  });

  it('are none, and Redis is told so, while as many run as may', () => {
    expect(rooms({ a: 1 }, { a: 1 }).ask(5)).toEqual([{ name: 'a', room: 0, isFull: true }]);
  });

  it('are of no account where no handler is limited, or nothing is asked for', () => {
    expect(rooms({}).ask(5)).toEqual([]);
    expect(rooms({ a: 1 }).ask(0)).toEqual([]);
  });
});
