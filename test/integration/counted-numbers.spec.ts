// Numbers are exact: what several workers count, of which one is stopped in the middle, is the same in the history, in the
// metrics and on the command line, and it is what has happened. And nothing asks Redis for figures while nobody looks.
import { CancelJob, FailJob } from '../../lib/job/index.js';
import { RqInspector, RqMetrics } from '../../lib/observe/index.js';
import { BOUNDS, placeOfDuration } from '../../lib/wire/figures.js';
import { commandLine } from '../cli/support/command-line.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { flagsHere } from './support/layout.js';

const engine = Engine.forThisFile();
const KINDS = ['finished', 'failed', 'retrying', 'canceled'] as const;

/** Numbers that look random and are the same each time. */
function* numbers(seed: number): Generator<number> {
  for (let state = seed; ;) {
    state = (state * 48_271) % 2_147_483_647;
    yield state;
  }
}

it.each([1, 7])('of four workers, one of which is stopped (round %i)', async (seed) => {
  const random = numbers(seed);
  const next = (below: number) => (random.next().value as number) % below;
  const durations: number[] = [];
  const run = async (data: unknown) => {
    const { kind, ms } = data as { kind: (typeof KINDS)[number]; ms: number };
    const begin = performance.now();
    await new Promise((resolve) => setTimeout(resolve, ms));
    durations.push(performance.now() - begin);
    if (kind === 'failed') throw new FailJob('no');
    if (kind === 'canceled') throw new CancelJob('nobody wants it');
    if (kind === 'retrying') throw new Error('later');
  };
  const handlers = {
    one: run,
    two: { run, retry: { max: 1, interval: 3600 } },
  };
  const workers = await Promise.all(
    [1, 2, 3, 4].map(() => engine.work(handlers, { concurrency: 5, shutdownTimeout: 20 })),
  );
  const expected = { finished: 0, failed: 0, retrying: 0, canceled: 0 };
  const jobs = Array.from({ length: 400 }, () => {
    const kind = KINDS[next(KINDS.length)] ?? 'finished';
    expected[kind] += 1;
    // Only these have a retry.
    const name = kind === 'retrying' ? 'two' : 'one';
    return { name, data: { kind, ms: next(30) } };
  });
  await engine.queue().enqueueMany(jobs);
  const ended = () =>
    workers.reduce((sum, { events }) => {
      const names = ['jobFinished', 'jobFailed', 'jobRetrying', 'jobCanceled'] as const;
      return sum + names.reduce((count, name) => count + events.of(name).length, 0);
    }, 0);
  await eventually(() => ended() > 100, { what: 'a quarter of the jobs' });
  await workers[0]?.stop();
  await eventually(() => ended() === jobs.length, { what: 'all jobs', timeout: 20_000 });
  await Promise.all(workers.map((worker) => worker.stop()));

  const inspector = new RqInspector(engine.store);
  const { total, jobs: byName } = await inspector.history('jobs', { last: '1h' });
  expect(total).toMatchObject({ ...expected, attempts: jobs.length });
  expect(byName.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(jobs.length);
  expect(total.run.count).toBe(jobs.length);

  // Percentiles are right to the next bound.
  const sorted = durations.toSorted((one, other) => one - other);
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const real = sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
    const place = placeOfDuration(total.run[name] ?? 0);
    expect(Math.abs(place - placeOfDuration(real))).toBeLessThanOrEqual(1);
  }
  expect(total.run.p99).toBeLessThanOrEqual(BOUNDS.at(-1) ?? 0);

  const texts = await Promise.all(
    workers.map((worker) => {
      const figures = { ...worker.figures(), enqueued: new Map<string, number>(), redisErrors: 0 };
      const metrics = new RqMetrics({
        inspector: undefined,
        figures: () => figures,
        jobLabel: false,
        isCompatible: false,
      });
      return metrics.text();
    }),
  );
  const inMetrics = (outcome: string) =>
    texts.reduce((sum, text) => {
      const line = `rq_job_attempts_total{queue="jobs",outcome="${outcome}"} `;
      return (
        sum +
        Number(
          text
            .split('\n')
            .find((one) => one.startsWith(line))
            ?.slice(line.length) ?? 0,
        )
      );
    }, 0);
  for (const kind of KINDS) expect(inMetrics(kind)).toBe(expected[kind]);

  const { out } = await commandLine(['info', '--json', ...flagsHere()], {
    env: { REDIS_URL: engine.redis.url },
  });
  const { queues } = JSON.parse(out) as { queues: { lastHour: object }[] };
  expect(queues[0]?.lastHour).toMatchObject(expected);
  expect(engine.store.figures.enqueued.get('jobs')).toBeGreaterThanOrEqual(jobs.length);
});

it('while nobody looks, nothing is asked of Redis for those who could', async () => {
  await engine.work({ send: () => 1 });
  await engine.client.config('RESETSTAT');
  await engine.queue().enqueue('send');
  await eventually(async () => (await engine.queue().counts()).finished === 1, {
    what: 'the job to end',
  });
  const stats = await engine.client.info('commandstats');
  const calls = [...stats.matchAll(/^cmdstat_(\w+)/gm)].map(([, name]) => name);
  // What overviews, lists of workers and histories are made of.
  const asked = ['smembers', 'hgetall', 'scan', 'keys', 'config|get'];
  expect(calls.filter((name) => asked.includes(name ?? ''))).toEqual([]);
  expect(await engine.client.exists('rq:nrq:viewed')).toBe(0);
});
