import { ParallelSlots, SharedSlots, type SlotUser } from '../../../../lib/worker/serve/slots.js';

interface Queue extends SlotUser {
  name: string;
  mayHaveJobs: boolean;
  timesFreed: number;
  takenSlots: number;
}

function queue(name: string, settings: { weight?: number; concurrency?: number } = {}): Queue {
  const { weight = 1, concurrency = 10 } = settings;
  const one = { name, weight, concurrency, mayHaveJobs: true, timesFreed: 0, takenSlots: 0 };
  return {
    ...one,
    slotsFreed: function slotsFreed(this: Queue) {
      this.timesFreed += 1;
    },
    slotsTaken: function slotsTaken(this: Queue) {
      this.takenSlots += 1;
    },
  };
}

describe('shared slots', () => {
  it('tell every queue when the last one is taken: a queue that hears of no new jobs looks again', () => {
    const queues = [queue('urgent'), queue('bulk')] as const;
    const slots = new SharedSlots(3, queues, 'ordered');

    slots.reserve(queues[0], 2);
    expect(queues.map(({ takenSlots }) => takenSlots)).toEqual([0, 0]);
    slots.reserve(queues[0], 2);
    expect(queues.map(({ takenSlots }) => takenSlots)).toEqual([1, 1]);
  });
});

describe('slots of each queue of its own (parallel)', () => {
  it('are as many as the queue may have, whatever the others do', () => {
    const slots = new ParallelSlots();
    const [images, mail] = [queue('images', { concurrency: 3 }), queue('mail', { concurrency: 2 })];

    expect(slots.reserve(images, 2)).toBe(2);
    expect(slots.reserve(images, 2)).toBe(1);
    expect(slots.reserve(images, 2)).toBe(0);
    expect(slots.reserve(mail, 5)).toBe(2);
    expect(slots.free(images)).toBe(0);

    slots.release(images, 2);
    expect(slots.free(images)).toBe(2);
    expect(slots.free(mail)).toBe(0);
    expect(images.timesFreed).toBe(1);
  });

  it('are not reserved when nothing is wanted', () => {
    const slots = new ParallelSlots();
    const images = queue('images', { concurrency: 3 });
    expect(slots.reserve(images, 0)).toBe(0);
    expect(Math.max(0, slots.reserve(images, -1))).toBe(0);
    expect(slots.free(images)).toBe(3);
  });
});

describe('shared slots, ordered', () => {
  it('go to a queue only when those before it are empty', () => {
    const [first, second] = [queue('first'), queue('second')];
    const slots = new SharedSlots(2, [first, second], 'ordered');

    expect(slots.reserve(second, 1)).toBe(0);
    expect(slots.reserve(first, 1)).toBe(1);

    first.mayHaveJobs = false;
    expect(slots.reserve(second, 5)).toBe(1);
    expect(slots.reserve(second, 5)).toBe(0);
    expect(slots.free()).toBe(0);
  });

  it('that become free are told to all queues, the first one first', () => {
    const [first, second] = [queue('first'), queue('second')];
    const slots = new SharedSlots(1, [first, second], 'ordered');
    first.mayHaveJobs = false;
    slots.reserve(second, 1);

    first.mayHaveJobs = true;
    slots.release(second, 1);

    expect([first.timesFreed, second.timesFreed]).toEqual([1, 1]);
    expect(slots.reserve(second, 1)).toBe(0);
    expect(slots.reserve(first, 1)).toBe(1);
  });

  it('may be reserved by a queue that has nothing, as long as no other before it has', () => {
    const [first, second] = [queue('first'), queue('second')];
    const slots = new SharedSlots(1, [first, second], 'ordered');
    first.mayHaveJobs = second.mayHaveJobs = false;
    // The look that finds out whether something has come.
    expect(slots.reserve(second, 1)).toBe(1);
  });
});

describe('shared slots, weighted', () => {
  /** Draws that go evenly through 0 to 1. */
  function evenly(): () => number {
    let draw = 0;
    return () => (draw = (draw + 0.618_033_988_75) % 1);
  }

  /** Who gets the one slot, when all queues always have jobs. */
  function served(queues: Queue[], rounds: number): Record<string, number> {
    const slots = new SharedSlots(1, queues, 'weighted', evenly());
    slots.reserve(queues[0] as Queue, 1);
    slots.release(queues[0] as Queue, 1);
    const counts = Object.fromEntries(queues.map(({ name }) => [name, 0]));
    for (let round = 0; round < rounds; round += 1) {
      const winner = queues.find((one) => slots.reserve(one, 1) === 1) as Queue;
      counts[winner.name] = (counts[winner.name] ?? 0) + 1;
      slots.release(winner, 1);
    }
    return counts;
  }

  it('go to queues in proportion to their weights', () => {
    const queues = [
      queue('a', { weight: 1 }),
      queue('b', { weight: 3 }),
      queue('c', { weight: 6 }),
    ];
    const { a = 0, b = 0, c = 0 } = served(queues, 10_000);
    expect(a + b + c).toBe(10_000);
    expect(a / 10_000).toBeCloseTo(0.1, 1);
    expect(b / 10_000).toBeCloseTo(0.3, 1);
    expect(c / 10_000).toBeCloseTo(0.6, 1);
    expect(a).toBeGreaterThan(500);
  });

  it('go to the light queue when the heavy one has nothing', () => {
    const [heavy, light] = [queue('heavy', { weight: 1000 }), queue('light', { weight: 0.001 })];
    heavy.mayHaveJobs = false;
    const slots = new SharedSlots(3, [heavy, light], 'weighted', evenly());
    expect(slots.reserve(light, 2)).toBe(2);
    slots.release(light, 2);
    expect(slots.reserve(light, 3)).toBe(3);
  });

  it.each([0, 0.999_999_999])('are always handed out: a draw of %d', (draw) => {
    const queues = [queue('a'), queue('b', { weight: 2 })];
    const slots = new SharedSlots(1, queues, 'weighted', () => draw);
    for (let round = 0; round < 3; round += 1) {
      const winners = queues.filter((one) => slots.reserve(one, 1) === 1);
      expect(winners).toHaveLength(1);
      slots.release(winners[0] as Queue, 1);
    }
  });
});
