import { EndOfWork, type EndLimits } from '../../../../lib/worker/serve/end-of-work.js';
import { eventually } from '../../../support/wait.js';

/** A consumer of which the test says what it has found. */
class Consumer {
  foundNothing = false;
  held = 0;
  timesAsked = 0;
  timesFreed = 0;
  /** What asking once more changes. */
  onAsked: () => void = () => undefined;

  async askOnceMore(): Promise<void> {
    this.timesAsked += 1;
    this.onAsked();
  }

  slotsFreed(): void {
    this.timesFreed += 1;
  }
}

const NONE: EndLimits = { burst: false, maxJobs: undefined, maxIdleMs: undefined };

function scene(limits: Partial<EndLimits>, count = 2) {
  const consumers = Array.from({ length: count }, () => new Consumer());
  const ends: string[] = [];
  const end = new EndOfWork({ ...NONE, ...limits }, consumers, (why) => ends.push(why));
  open.add(end);
  return { consumers, ends, end };
}

const open = new Set<EndOfWork>();

afterEach(() => {
  for (const end of open) end.close();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('burst', () => {
  it('ends when no queue has anything that may start, after each was asked once more', async () => {
    const { consumers, ends, end } = scene({ burst: true });
    consumers[0]!.foundNothing = true;
    end.answered();
    await turn();
    expect([ends, consumers.map(({ timesAsked }) => timesAsked)]).toEqual([[], [0, 0]]);

    consumers[1]!.foundNothing = true;
    end.answered();
    await turn();
    expect([ends, consumers.map(({ timesAsked }) => timesAsked)]).toEqual([['drained'], [1, 1]]);
  });

  it('goes on when the last question finds a job, in whatever queue', async () => {
    const { consumers, ends, end } = scene({ burst: true });
    for (const consumer of consumers) consumer.foundNothing = true;
    consumers[1]!.onAsked = () => (consumers[0]!.foundNothing = false);
    end.answered();
    await turn();
    expect(ends).toEqual([]);

    consumers[1]!.onAsked = () => undefined;
    consumers[0]!.foundNothing = true;
    end.answered();
    await turn();
    expect(ends).toEqual(['drained']);
  });
});

describe('maxJobs', () => {
  it('leaves as many as have not been claimed, and ends with the last run', () => {
    const { consumers, ends, end } = scene({ maxJobs: 3 });
    consumers[0]!.held = 1;
    consumers[1]!.held = 1;
    expect(end.left).toBe(1);
    consumers[0]!.held = 0;
    end.jobEnded();
    expect(end.left).toBe(1);
    end.jobEnded();
    expect(ends).toEqual([]);
    end.jobEnded();
    end.jobEnded();
    expect(ends).toEqual(['maxJobs']);
  });

  it('tells every queue that jobs may be left again', () => {
    const { consumers, end } = scene({ maxJobs: 3 });
    end.answered();
    expect(consumers.map(({ timesFreed }) => timesFreed)).toEqual([1, 1]);
  });
});

describe('maxIdle', () => {
  it('ends when nothing has run for that long, not before', async () => {
    const { consumers, ends, end } = scene({ maxIdleMs: 40 });
    for (const consumer of consumers) consumer.foundNothing = true;
    const startedAt = performance.now();
    end.start();
    await eventually(() => ends.length > 0, { what: 'the end', every: 2 });
    expect(ends).toEqual(['idle']);
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(39);
  });

  it('begins anew when a job runs, or nobody knows whether there are any', async () => {
    const { consumers, ends, end } = scene({ maxIdleMs: 20 }, 1);
    end.start();
    let looks = 0;
    Object.defineProperty(consumers[0], 'foundNothing', { get: () => (looks += 1) > 3 });
    await eventually(() => ends.length > 0, { what: 'the end', every: 2 });
    expect(looks).toBe(4);
  });
});
