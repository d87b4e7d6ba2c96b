import { ClaimedJob } from '../../../../lib/wire/index.js';
import { JobStarter } from '../../../../lib/worker/serve/job-starter.js';
import { claimedJob } from '../../support/claimed-job.js';

const job = (id: string) => ClaimedJob.unread('q', id, `e-${id}`);
const jobs = (...ids: string[]) => ids.map((id) => job(id));

/** A starter whose runner notes what starts; jobs named `bad...` take no slot, `quick...` end at once. */
function scene() {
  const seen = {
    started: [] as string[],
    givenBack: [] as string[],
    released: 0,
    free: 0,
    mode: { acceptsJobs: true },
    budget: { awaitsJobs: false },
  };
  const starter: JobStarter = new JobStarter(
    {
      start: ({ id }) => {
        seen.started.push(id);
        if (id.startsWith('quick')) starter.slotFreed();
        return !id.startsWith('bad');
      },
      startBatch: (batch) => {
        seen.started.push(batch.map(({ id }) => id).join('+'));
        return true;
      },
    },
    { giveBack: (list) => seen.givenBack.push(...list.map(({ id }) => id)) },
    seen.mode,
    seen.budget,
    { free: () => seen.free, release: (count) => (seen.released += count) },
  );
  starters.push(starter);
  return { starter, seen };
}

const starters: JobStarter[] = [];

afterEach(() => {
  for (const { prefetched } of starters.splice(0)) prefetched.close();
});

describe('jobs of a batch', () => {
  const of = (batch: string, ...ids: string[]) =>
    ids.map((id) => claimedJob({ data: '[]', status: `index\tkey\t${batch}` }, id));

  it('start together in one slot, each batch by itself', () => {
    const { starter, seen } = scene();
    starter.receive([...of('1', 'a', 'b'), ...of('3', 'c'), ...jobs('d')], 4);
    expect(seen.started).toEqual(['a+b', 'c', 'd']);
    expect(seen.released).toBe(1);
  });

  it('wait as one for a slot, and start without those that were taken out', () => {
    const { starter, seen } = scene();
    starter.receive(of('1', 'a', 'b', 'c'), 0);
    expect(starter.prefetched.countOf('index')).toBe(1);
    starter.prefetched.remove(({ id }) => id === 'b');
    starter.slotFreed();
    expect(seen.started).toEqual(['a+c']);
  });
});

describe('claimed jobs', () => {
  it('start in the slots that were reserved for them; slots that are left are given back', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('a', 'b'), 5);
    expect(seen.started).toEqual(['a', 'b']);
    expect(seen.released).toBe(3);
  });

  it('do not start in slots that are too many since the concurrency was lowered: those are given back', () => {
    const { starter, seen } = scene();
    seen.free = -2;
    starter.receive(jobs('a', 'b'), 3);
    expect(seen.started).toEqual(['a']);
    expect(seen.released).toBe(2);
  });

  it('wait when there are more than slots, and start in their order when one is free', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('a', 'b', 'c'), 1);
    expect(seen.started).toEqual(['a']);
    starter.slotFreed();
    starter.receive(jobs('d'), 1);
    expect(seen.started).toEqual(['a', 'b', 'c']);
    starter.slotFreed();
    starter.slotFreed();
    expect(seen.started).toEqual(['a', 'b', 'c', 'd']);
    expect(seen.released).toBe(1);
  });

  it('that cannot run leave their slot to the next', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('bad-1', 'bad-2', 'a', 'b'), 1);
    expect(seen.started).toEqual(['bad-1', 'bad-2', 'a']);
    expect(seen.released).toBe(0);
  });

  it('that end while they start free their slot for the next, without a start within a start', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('quick-1', 'quick-2', 'quick-3'), 2);
    expect(seen.started).toEqual(['quick-1', 'quick-2', 'quick-3']);
    expect(seen.released).toBe(2);
  });
});

describe('when the worker stops', () => {
  it('what has not started goes back in its order', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('a', 'b', 'c'), 1);
    seen.mode.acceptsJobs = false;
    starter.giveBackUnstarted();
    expect(seen.givenBack).toEqual(['b', 'c']);
    starter.slotFreed();
    expect(seen.started).toEqual(['a']);
    expect(seen.released).toBe(1);
  });

  it('nothing goes back before the last claim is answered: its jobs come behind the others', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('a', 'b'), 1);
    seen.mode.acceptsJobs = false;
    seen.budget.awaitsJobs = true;
    starter.giveBackUnstarted();
    expect(seen.givenBack).toEqual([]);

    seen.budget.awaitsJobs = false;
    starter.receive(jobs('c'), 1);
    expect(seen.givenBack).toEqual(['b', 'c']);
    expect(seen.started).toEqual(['a']);
    expect(seen.released).toBe(1);
  });

  it('nothing goes back as long as jobs are welcome', () => {
    const { starter, seen } = scene();
    starter.receive(jobs('a', 'b'), 1);
    starter.giveBackUnstarted();
    expect(seen.givenBack).toEqual([]);
  });
});
