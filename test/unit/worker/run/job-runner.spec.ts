import type { WorkerStore } from '../../../../lib/store/index.js';
import type { ClaimedJob } from '../../../../lib/wire/index.js';
import { PrefetchedJobs } from '../../../../lib/worker/serve/prefetched-jobs.js';
import { type Handler, HandlerRegistry } from '../../../../lib/worker/run/handler-registry.js';
import { JobReporter } from '../../../../lib/worker/report/job-reporter.js';
import { JobRunner, type RunEnd } from '../../../../lib/worker/run/job-runner.js';
import type { RunningJob } from '../../../../lib/worker/run/running-job.js';
import { eventually } from '../../../support/wait.js';
import { claimedJob } from '../../support/claimed-job.js';

const calling = (id: string, name = 'job') => claimedJob({ data: `["${name}",null,[1],{}]` }, id);

/** Whoever enqueued it gave it a timeout of an hour. */
const ownTimeout = (id: string) =>
  claimedJob({ data: '["job",null,[1],{}]', timeout: '3600', nrq_given: 't' }, id);

/** A runner with jobs prefetched beside it; notes how each job ended and what was lost. */
function runner(handlers: Partial<Handler>[], unknownJobs: 'fail' | 'release' = 'fail') {
  const registry = new HandlerRegistry();
  for (const parts of handlers) {
    registry.register({ queue: 'q', name: 'job', owner: 'A.job', run: () => 1, ...parts });
  }
  const ends: string[] = [];
  const lost: string[] = [];
  const guarded: string[] = [];
  const deadlines: number[] = [];
  const prefetched = new PrefetchedJobs(() => undefined);
  const one = new JobRunner(
    'q',
    {} as WorkerStore,
    registry,
    new JobReporter({ jobLost: ({ jobId }) => lost.push(jobId) }),
    {
      maxPayloadBytes: 1000,
      now: Date.now,
      guarded: {
        add: (execution, deadline) => {
          guarded.push(`+${execution}`);
          return deadlines.push(deadline) - 1;
        },
        move: (place, deadline) => void (deadlines[place] = deadline),
        remove: (place) => void guarded.push(`-${place}`),
      },
      unknownJobs,
      hearsStarts: () => false,
      began: () => undefined,
      removePrefetched: (matches) => prefetched.remove(matches),
    },
    ({ claimed: { id }, verdict, holdsSlot }: RunEnd) => {
      ends.push(`${id} ${verdict?.outcome.type ?? 'nothing'}${holdsSlot ? ', slot' : ''}`);
    },
  );
  runners.add(one);
  return { runner: one, ends, lost, prefetched, deadlines, guarded };
}

const never = () => new Promise(() => undefined);

const runners = new Set<JobRunner>();

afterEach(() => {
  for (const one of runners) one.abortAll(() => new Error('the test is over'));
  runners.clear();
});

describe('a claimed job', () => {
  it('takes a slot when it runs, and frees it when it ends', () => {
    const { runner: one, ends } = runner([{ run: () => 1 }]);
    expect(one.start(calling('a'))).toBe(true);
    expect(ends).toEqual(['a finished, slot']);
    expect(one.count).toBe(0);
  });

  it.each([
    ['whose name nobody knows', '["other",null,[],{}]'],
    ['with the name of something built in', '["__proto__",null,[],{}]'],
    ['with a dotted path', '["A.job",null,[],{}]'],
    ['that is no JSON', 'junk'],
    ['that is a pickle', '\u0080\u0004'],
    ['that is nothing', ''],
  ])('%s fails without taking a slot, and without running anything', (_, data) => {
    const { runner: one, ends } = runner([{}]);
    expect(one.start(claimedJob({ data }, 'a'))).toBe(false);
    expect(ends).toEqual(['a failed']);
  });

  it('whose name nobody knows can be put off instead, for a newer version to take it', () => {
    const { runner: one, ends } = runner([{}], 'release');
    expect(one.start(calling('a', 'other'))).toBe(false);
    expect(one.start(claimedJob({ data: 'junk' }, 'b'))).toBe(false);
    expect(ends).toEqual(['a snoozed', 'b failed']);
  });

  it('that does not come from a lane goes into one when its handler has a gate, and takes no slot', () => {
    const { runner: one, ends } = runner([{ key: () => 'tenant', run: never }]);
    expect(one.start(calling('a'))).toBe(false);
    expect(ends).toEqual(['a sorted']);
    expect([...one.held()]).toEqual([]);

    const data = '["job",null,[1],{}]';
    expect(one.start(claimedJob({ data, status: 'job\ttenant' }, 'b'))).toBe(true);
    expect(one.countOf('job')).toBe(1);
    one.cancel('b');
    expect(one.countOf('job')).toBe(0);
  });

  it('whose key cannot be told fails, and nothing runs', () => {
    const key = () => {
      throw new Error('no tenant');
    };
    const { runner: one, ends } = runner([{ key, run: never }]);
    expect(one.start(calling('a'))).toBe(false);
    expect(ends).toEqual(['a failed']);
  });
});

describe('a job that is ended from outside', () => {
  it.each([
    ['canceled', (one: JobRunner, id: string) => one.cancel(id), 'canceled'],
    ['stopped', (one: JobRunner, id: string) => one.stop(id), 'stopped'],
  ])('is %s wherever it is: running, prefetched', (_, end, outcome) => {
    const { runner: one, ends, prefetched } = runner([{ run: never }]);
    one.start(calling('running'));
    prefetched.push(calling('prefetched'));

    for (const id of ['prefetched', 'running', 'unknown']) end(one, id);

    expect(ends).toEqual([`prefetched ${outcome}`, `running ${outcome}, slot`]);
    expect(one.count).toBe(0);
    expect(prefetched.length).toBe(0);
  });

  it('is not settled when its lease is lost, and does not begin when it has not', () => {
    const { runner: one, ends, lost, prefetched } = runner([{ run: never }]);
    one.start(calling('running'));
    prefetched.push(calling('prefetched'));

    for (const id of ['prefetched', 'running', 'unknown']) one.lost(`e-${id}`, 'queued');

    expect(lost).toEqual(['prefetched', 'running']);
    expect(ends).toEqual(['running nothing, slot']);
    expect([...one.held()]).toEqual([]);
    expect(prefetched.length).toBe(0);
  });

  it('frees its lease when the renewal finds it canceled or deleted', () => {
    const { runner: one, ends, lost, prefetched } = runner([{ run: never }]);
    one.start(calling('running'));
    prefetched.push(calling('prefetched'));

    one.lost('e-prefetched', 'canceled');
    one.lost('e-running', 'missing');

    expect(lost).toEqual([]);
    expect(ends).toEqual(['prefetched canceled', 'running canceled, slot']);
  });

  it('does not reach another run of the same job', () => {
    const { runner: one, ends } = runner([{ run: never }]);
    one.start(calling('a'));
    one.lost('e-of-an-earlier-run', 'started');
    expect(ends).toEqual([]);
    expect(one.count).toBe(1);
  });

  it('goes back at a shutdown, the last one first: each goes to the head of the queue', () => {
    const { runner: one, ends } = runner([{ run: never }]);
    const reasons: string[] = [];
    for (const id of ['a', 'b', 'c']) one.start(calling(id));

    one.abortAll((jobId) => {
      reasons.push(jobId);
      return new Error('shutdown');
    });

    expect(ends).toEqual(['c released, slot', 'b released, slot', 'a released, slot']);
    expect(reasons).toHaveLength(3);
  });
});

describe('the one who keeps leases', () => {
  const hour = 3_600_000;

  it.each<[string, Partial<Handler>, ClaimedJob, number]>([
    ["the handler's timeout", { timeout: '2h' }, calling('a'), 2 * hour],
    ["the job's own before it", { timeout: '2h' }, ownTimeout('a'), hour],
    ['none', { timeout: false }, calling('a'), Infinity],
  ])('hears of a run with %s, and of its end', (_, handler, job, expected) => {
    const { runner: one, deadlines, guarded } = runner([{ ...handler, run: never }]);
    const before = performance.now();
    one.start(job);
    const [deadline = 0] = deadlines;
    expect(deadline).toBeGreaterThanOrEqual(before + expected);
    expect(deadline).toBeLessThanOrEqual(performance.now() + expected);
    expect(guarded).toEqual([`+${job.execution}`]);
    one.cancel('a');
    expect(guarded.slice(1)).toEqual(['-0']);
  });
});

describe('a sign of life', () => {
  it('moves the end of the run, for the one who keeps leases too; after its end nothing', async () => {
    let job!: RunningJob;
    const { runner: one, deadlines } = runner([
      { timeout: '1h', run: (_, running) => ((job = running), never()) },
    ]);
    one.start(calling('a'));
    const [first = 0] = deadlines;
    await eventually(() => (job.heartbeat(), Number(deadlines[0]) > first + 5), {
      what: 'the end of the run to move',
    });

    const [last] = deadlines;
    one.cancel('a');
    job.heartbeat();
    expect(deadlines).toEqual([last]);
  });
});
