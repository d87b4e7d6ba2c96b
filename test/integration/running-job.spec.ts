// What a handler tells of its running job: lines of a log, data for later attempts, signs of life.
import type { RunningJob } from '../../lib/worker/index.js';
import { LOG_LINES, LONGEST_LOG_LINE, LostLeaseError, SnoozeJob } from '../../lib/job/index.js';
import { EARLINESS } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const never = () => new Promise(() => undefined);
const ttlOf = (key: string) => engine.client.ttl(key);
const logKey = (id: string) => `rq:nrq:log:${id}`;

async function commands(name: string): Promise<number> {
  const calls = new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(
    await engine.client.info('commandstats'),
  );
  return Number(calls?.[1] ?? 0);
}

describe('the log of a job', () => {
  it('is read from any process, in its order, in pieces, while the job runs and after it', async () => {
    const gate = deferred();
    await engine.work({
      talk: async (_, job) => {
        await job.log('first');
        void job.log('second\nwith a break');
        await job.log('größer ✓');
        await gate.promise;
      },
    });
    const job = await engine.queue().enqueue('talk');
    const lines = ['first', 'second\nwith a break', 'größer ✓'];
    await eventually(async () => (await job.logs()).length === 3, { what: 'three lines' });
    expect(await job.logs()).toEqual(lines);
    gate.resolve();
    await job.result();

    expect(await job.logs()).toEqual(lines);
    expect(await job.logs({ limit: 1 })).toEqual(['first']);
    expect(await job.logs({ offset: 1, limit: 1 })).toEqual(['second\nwith a break']);
    expect(await job.logs({ offset: 2 })).toEqual(['größer ✓']);
    expect(await job.logs({ offset: 3 })).toEqual([]);
    expect(await job.logs({ limit: 0 })).toEqual([]);
    await expect(job.logs({ offset: -1 })).rejects.toThrow(/offset must be a whole number/);
    await expect(job.logs({ limit: 0.5 })).rejects.toThrow(/limit must be a whole number/);
  });

  it('has all lines of a handler that awaits none and ends at once, also the first of a server', async () => {
    await engine.client.script('FLUSH');
    await engine.work({
      talk: (_, job) => {
        for (let line = 1; line <= 5; line += 1) void job.log(`line ${line}`);
      },
      fail: (_, job) => {
        void job.log('before the end');
        throw new Error('no');
      },
    });
    const talk = await engine.queue().enqueue('talk');
    await talk.result();
    expect(await talk.logs()).toEqual(['line 1', 'line 2', 'line 3', 'line 4', 'line 5']);
    const fail = await engine.queue().enqueue('fail');
    await expect(fail.result()).rejects.toThrow('no');
    expect(await fail.logs()).toEqual(['before the end']);
  });

  it('has the lines of all attempts', async () => {
    await engine.work({
      flaky: (_, job) => {
        void job.log(`attempt ${job.attempt}`);
        if (job.attempt < 3) throw new Error('not yet');
      },
    });
    const job = await engine
      .queue()
      .enqueue('flaky', undefined, { retry: { max: 2, interval: 0 } });
    await job.result();
    expect(await job.logs()).toEqual(['attempt 1', 'attempt 2', 'attempt 3']);
  });

  it('keeps the last 1000 lines; those of one turn travel together', async () => {
    await engine.work({
      flood: async (_, job) => {
        for (let line = 1; line <= 5000; line += 1) void job.log(`line ${line}`);
        await job.log('the last');
      },
    });
    await engine.client.config('RESETSTAT');
    const job = await engine.queue().enqueue('flood');
    await job.result();
    const lines = await job.logs();
    expect(lines).toHaveLength(LOG_LINES);
    expect([lines[0], lines.at(-1)]).toEqual(['line 4002', 'the last']);
    expect(await commands('rpush')).toBeLessThan(5);
  });

  it('cuts a long line, takes what is no text, and never fails the job', async () => {
    await engine.work({
      odd: async (_, job) => {
        const log = (line: unknown) => job.log(line as string);
        await log('ü'.repeat(LONGEST_LOG_LINE));
        await log('x'.repeat(LONGEST_LOG_LINE));
        await log(42);
        await log(undefined);
        await log(Object.create(null));
        return 'fine';
      },
    });
    const job = await engine.queue().enqueue('odd');
    expect(await job.result()).toBe('fine');
    const [cut = '', whole, ...others] = await job.logs();
    expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(LONGEST_LOG_LINE);
    expect(cut).toMatch(/^ü{32000,}\n… \(cut\)$/);
    expect(whole).toBe('x'.repeat(LONGEST_LOG_LINE));
    expect(others).toEqual(['42', 'undefined', '(what cannot be written as text)']);
  });

  it('takes many long lines, in calls that are not too long', async () => {
    const line = 'y'.repeat(60_000);
    await engine.work({
      long: async (_, job) => {
        for (let count = 0; count < 20; count += 1) void job.log(`${count} ${line}`);
        await job.log('end');
      },
    });
    const job = await engine.queue().enqueue('long');
    await job.result();
    const numbers = (await job.logs()).map((text) => text.split(' ', 1)[0]);
    expect(numbers).toEqual([...Array.from({ length: 20 }, (_, count) => String(count)), 'end']);
  });

  it('is kept for a week after the last line, and goes with its job', async () => {
    await engine.work({ talk: (_, job) => job.log('x') });
    const queue = engine.queue();
    const job = await queue.enqueue('talk');
    await job.result();
    expect(await ttlOf(logKey(job.id))).toBeGreaterThan(604_700);
    await job.delete();
    expect(await engine.client.exists(logKey(job.id))).toBe(0);

    const gone = await queue.enqueue('talk', undefined, { resultTtl: 0 });
    await gone.result();
    expect(await engine.client.exists(logKey(gone.id))).toBe(0);

    const waiting = await queue.enqueue('nobody', undefined, { delay: 60 });
    await engine.client.rpush(logKey(waiting.id), 'of an earlier attempt');
    await engine.stopWorkers();
    await engine.client.lpush('rq:queue:jobs', waiting.id);
    await queue.empty();
    expect(await engine.client.exists(logKey(waiting.id))).toBe(0);
  });

  it('goes with a job whose last run told nothing', async () => {
    const runs = new Map<string, number>();
    const worker = await engine.work({
      talk: async (_, job) => {
        const run = (runs.get(job.id) ?? 0) + 1;
        runs.set(job.id, run);
        if (run > 1) return;
        await job.log('x');
        throw job.retriesLeft === undefined
          ? new SnoozeJob({ for: 0.001 })
          : new Error('once more');
      },
    });
    const queue = engine.queue();
    for (const options of [{}, { retry: { max: 1, interval: 0 } }]) {
      const job = await queue.enqueue('talk', undefined, { resultTtl: 0, ...options });
      // It may be gone before anybody asks for its result.
      await eventually(
        () => worker.events.of('jobFinished').some(({ jobId }) => jobId === job.id),
        { what: 'it to finish' },
      );
      expect(runs.get(job.id)).toBe(2);
      expect(await engine.client.keys(`*${job.id}*`)).toEqual([]);
    }
  });

  it('is passed over where it cannot be written', async () => {
    await engine.work({
      talk: async (_, job) => {
        await engine.client.set(logKey(job.id), 'not a list');
        await job.log('x');
        await job.progress(1);
        return 'fine';
      },
    });
    const job = await engine.queue().enqueue('talk');
    expect(await job.result()).toBe('fine');
    expect((await job.refresh()).progress).toBe(1);
  });

  it('takes nothing of a run that is over', async () => {
    const over = deferred<RunningJob>();
    await engine.work({
      slow: (_, job) => {
        job.signal.addEventListener('abort', () => over.resolve(job));
        return never();
      },
    });
    const job = await engine.queue().enqueue('slow', undefined, { timeout: 0.05 });
    await expect(job.result()).rejects.toThrow('timeout');
    const running = await over.promise;
    await running.log('too late');
    await running.progress(1);
    running.heartbeat();
    await expect(running.update('too late')).rejects.toThrow(LostLeaseError);
    expect(await job.logs()).toEqual([]);
    expect(await job.refresh()).toMatchObject({ progress: undefined, data: undefined });
  });
});

describe('other data for later attempts', () => {
  it('are what the next attempt gets', async () => {
    const seen: unknown[] = [];
    await engine.work({
      walk: async (data, job) => {
        seen.push(data);
        const { from } = data as { from: number };
        await job.update({ from: from + 10 });
        expect(job.data).toEqual({ from: from + 10 });
        if (job.attempt < 3) throw new Error('go on from there');
        return from;
      },
    });
    const retry = { max: 2, interval: 0 };
    const job = await engine.queue().enqueue('walk', { from: 0 }, { retry });
    expect(await job.result()).toBe(20);
    expect(seen).toEqual([{ from: 0 }, { from: 10 }, { from: 20 }]);
    expect((await job.refresh()).data).toEqual({ from: 30 });
  });

  it('replace the arguments of a call from Python', async () => {
    await engine.work({ 'tasks.sum': (_, job) => job.update([3]) });
    const call = { args: [1, 2], kwargs: { unit: 'm' } };
    const job = await engine.queue().enqueueCall('tasks.sum', call);
    await job.result();
    expect(await job.refresh()).toMatchObject({ name: 'tasks.sum', args: [[3]], kwargs: {} });
  });

  it('may be none', async () => {
    await engine.work({ once: (_, job) => job.update(undefined) });
    const job = await engine.queue().enqueue('once', 'first');
    await job.result();
    expect(await job.refresh()).toMatchObject({ args: [], data: undefined });
  });

  it('are refused when the lease is gone', async () => {
    const refused = deferred<unknown>();
    await engine.work({
      slow: async (_, job) => {
        await engine.client.del('rq:wip:jobs');
        await job.update('mine').catch(refused.resolve);
      },
    });
    const job = await engine.queue().enqueue('slow', 'theirs');
    expect(await refused.promise).toMatchObject({ code: 'RQ_LOST_LEASE', jobId: job.id });
    expect((await job.refresh()).data).toBe('theirs');
  });

  it.each([
    ['that are no JSON', () => 1n, 'RQ_UNSERIALIZABLE_DATA'],
    ['that are too long', () => 'x'.repeat(2000), 'RQ_PAYLOAD_TOO_LARGE'],
  ])('%s are refused, and what was there stays', async (_, data, code) => {
    const store = await engine.openStore({ maxPayloadBytes: 1000 });
    const refused = deferred<unknown>();
    await engine.work(
      { job: async (_data, job) => job.update(data()).catch(refused.resolve) },
      { store },
    );
    const job = await engine.queue().enqueue('job', 'first');
    expect(await refused.promise).toMatchObject({ code });
    await job.result();
    expect((await job.refresh()).data).toBe('first');
  });

  it('that nobody awaited are written before the job ends; of many the newest', async () => {
    await engine.work({
      count: (_, job) => {
        for (let count = 1; count <= 100; count += 1) void job.update(count);
      },
    });
    const job = await engine.queue().enqueue('count', 0);
    await job.result();
    expect((await job.refresh()).data).toBe(100);
  });
});

describe('a sign of life', () => {
  it('has the timeout start again; without another one the job times out', async () => {
    const took = deferred<number>();
    await engine.work({
      steps: async (_, job) => {
        const begun = performance.now();
        job.signal.addEventListener('abort', () => took.resolve(performance.now() - begun));
        for (let step = 0; step < 5; step += 1) {
          await new Promise((resolve) => setTimeout(resolve, 150));
          job.heartbeat();
        }
        await never();
      },
    });
    const job = await engine.queue().enqueue('steps', undefined, { timeout: 1.5 });
    await expect(job.result()).rejects.toThrow(/exceeded its timeout of 1.5 s/);
    expect(await took.promise).toBeGreaterThanOrEqual(5 * 150 + 1500 - EARLINESS);
  });

  it("is shown to RQ's tools, at most every ten seconds", async () => {
    await engine.work({
      steps: async (_, job) => {
        for (let step = 0; step < 100; step += 1) {
          job.heartbeat();
          await job.log('step');
        }
      },
    });
    await engine.client.config('RESETSTAT');
    const job = await engine.queue().enqueue('steps');
    await job.result();
    const { last_heartbeat: shown = '' } = await engine.fields(job.id);
    expect(Math.abs(Date.parse(shown) - Date.now())).toBeLessThan(10_000);
    expect(await commands('hset')).toBeLessThan(20);
  });
});
