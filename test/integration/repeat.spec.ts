// Jobs that run again after each success.
import { lastValueFrom, toArray } from 'rxjs';
import {
  InvalidOptionError,
  type JobEvent,
  type RepeatOptions,
  resolveDefaults,
  resolveJobOptions,
} from '../../lib/job/index.js';
import type { NewJob } from '../../lib/store/index.js';
import { deferred, eventually, within } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { expectGaps, Runs } from './support/gaps.js';
import { enqueueAsPython } from './support/python-fixture.js';

const engine = Engine.forThisFile();

const boom = () => {
  throw new Error('boom');
};

describe('a job runs again after each success', () => {
  const forms: [RepeatOptions, number[]][] = [
    [{ times: 2 }, [0, 0]],
    [{ times: 3, interval: 0.2 }, [200, 200, 200]],
    [{ times: 3, interval: ['50ms', '250ms', '100ms'] }, [50, 250, 100]],
    [{ times: 4, interval: [0.2, '60ms'] }, [200, 60, 60, 60]],
    [{ times: 1, interval: [0.1, 60] }, [100]],
  ];

  it('as often and at the intervals that were asked for', async () => {
    const measured = forms.map(([repeat, waits], index) => {
      return { name: `form${index}`, repeat, waits, runs: new Runs() };
    });
    await engine.work(measured.map(({ name, runs }) => ({ name, run: runs.of(() => name) })));

    const jobs = await Promise.all(
      measured.map(({ name, repeat }) => engine.queue().enqueue(name, undefined, { repeat })),
    );
    for (const job of jobs) {
      const isOver = async () => (await job.status()) === 'finished';
      await eventually(isOver, { what: 'the last round to end' });
    }

    for (const { runs, waits, repeat } of measured) {
      expectGaps(runs.gaps, waits, JSON.stringify(repeat));
    }
    for (const [index, job] of jobs.entries()) {
      expect(await engine.places(job.id)).toEqual(['finished']);
      const { attempts, repeatsLeft } = await job.refresh();
      expect({ attempts, repeatsLeft }).toEqual({
        attempts: (forms[index]?.[1].length ?? 0) + 1,
        repeatsLeft: 0,
      });
    }
  });

  it('between rounds it is scheduled and nowhere else, has no end, and its result is kept', async () => {
    const worker = await engine.work({ f: () => 'first' });
    const job = await engine
      .queue()
      .enqueue('f', 1, { repeat: { times: 2, interval: 60 }, resultTtl: 0 });
    await worker.events.waitFor('jobFinished');

    expect(await engine.places(job.id)).toEqual(['scheduled']);
    expect(await engine.client.ttl(`rq:job:${job.id}`)).toBe(-1);
    expect(await job.refresh()).toMatchObject({ status: 'scheduled', repeatsLeft: 1, attempts: 1 });
    expect(await job.result({ timeout: 5 })).toBe('first');
    expect(await job.results()).toMatchObject([{ outcome: 'finished', value: 'first' }]);
    const [row] = await engine.queue().jobs('scheduled');
    expect(row).toMatchObject({ id: job.id, repeatsLeft: 1, attempts: 1 });
  });

  it('and is gone after the last round, with all that it left, where results are not kept', async () => {
    const runs = new Runs();
    await engine.work([
      { name: 'f', run: runs.of(() => 1) },
      { name: 'tasks.add', queue: 'tasks', run: runs.of(() => 3) },
    ]);
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 2 }, resultTtl: 0 });
    const repeats = { repeats_left: '2', repeat_intervals: '[0]', result_ttl: '0' };
    await enqueueAsPython(engine.client, 'from-python', 'add', repeats);
    const ids = [job.id, 'from-python'];
    const isGone = async () =>
      (await engine.client.exists(...ids.map((id) => `rq:job:${id}`))) === 0;
    await eventually(isGone, { what: 'the last rounds to end' });
    expect(runs.gaps).toHaveLength(5);
    for (const id of ids) expect(await engine.client.keys(`*${id}*`)).toEqual([]);
    expect(await engine.places(job.id)).toEqual([]);
    expect(await engine.places('from-python', 'tasks')).toEqual([]);
  });
});

describe('those who wait', () => {
  it('get the result of the first round; later the last one that has ended', async () => {
    let round = 0;
    const gates = [deferred(), deferred(), deferred()];
    const worker = await engine.work({
      f: async () => {
        const number = round;
        round += 1;
        await gates[number]?.promise;
        return number === 1 ? undefined : `round ${number}`;
      },
    });
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 2 } });
    const waiting = job.result({ timeout: 5 });
    await worker.events.waitFor('jobStarted');
    gates[0]?.resolve();
    expect(await waiting).toBe('round 0');

    await worker.events.waitFor('jobStarted', 2);
    expect(await job.result()).toBe('round 0');
    gates[1]?.resolve();
    await worker.events.waitFor('jobStarted', 3);
    expect(await job.result()).toBeNull();
    gates[2]?.resolve();
    await worker.events.waitFor('jobFinished', 3);
    expect(await job.result()).toBe('round 2');
  });

  it('run after the first round when they are jobs, with its result', async () => {
    const worker = await engine.work({ f: () => 'first', child: () => 'done' });
    await engine.queue().pause();
    const { id } = await engine.queue().enqueue('f', 1, { repeat: { times: 1, interval: 60 } });
    const child: NewJob = {
      queue: 'jobs',
      id: 'child',
      check: 'new',
      data: '["child",null,[],{}]',
      options: resolveJobOptions({ resultTtl: 100 }, resolveDefaults({})),
      meta: undefined,
      waitsFor: { jobs: [id], ifFailed: 'cancel' },
    };
    await engine.store.enqueue([child], 'all');
    await engine.queue().resume();
    await worker.events.waitFor('jobFinished', 2);
    expect(await engine.queue().job('child').result()).toBe('done');
    expect(await engine.places(id)).toEqual(['scheduled']);
    expect(await engine.fields('child')).toMatchObject({ [`nrq_parent:${id}`]: '"first"' });
  });

  it('are told by events what happened, until the last round', async () => {
    await engine.work({ f: (_data, job) => job.repeatsLeft });
    const listening = deferred();
    const queue = engine.queue();
    await queue.pause();
    const job = await queue.enqueue('f', 1, { repeat: { times: 2 } });
    const events = lastValueFrom(
      job.events({ onListening: () => listening.resolve() }).pipe(toArray()),
    );
    await listening.promise;
    await queue.resume();

    const told = (await within(events, { what: 'the last event' })).filter(
      (event): event is JobEvent & { type: 'finished' } => event.type === 'finished',
    );
    expect(told.map(({ result, repeatsLeft }) => [result, repeatsLeft])).toEqual([
      [2, 2],
      [1, 1],
      [0, 0],
    ]);
  });
});

describe('a failure', () => {
  it('ends the repeats; requeue goes on with what is left', async () => {
    const outcomes = [() => 'ok', boom, () => 'ok', () => 'ok'];
    let runs = 0;
    const worker = await engine.work({ f: () => outcomes[runs++]?.() });
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 3 } });
    await worker.events.waitFor('jobFailed');
    expect(await job.status()).toBe('failed');
    await expect(job.result()).rejects.toThrow('boom');

    await job.requeue();
    await worker.events.waitFor('jobFinished', 4);
    expect(runs).toBe(5);
    expect(
      await eventually(async () => (await job.status()) === 'finished', { what: 'its end' }),
    ).toBe(true);
  });

  it('each round has all its retries', async () => {
    let runs = 0;
    const attempts: number[] = [];
    const worker = await engine.work({
      f: (_data, job) => {
        runs += 1;
        attempts.push(job.attempt);
        if (runs % 3 !== 0) boom();
        return job.retriesLeft;
      },
    });
    const job = await engine.queue().enqueue('f', 1, {
      repeat: { times: 2 },
      retry: { max: 2, interval: 0 },
    });
    await worker.events.waitFor('jobFinished', 3);
    expect(attempts).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(await job.refresh()).toMatchObject({ status: 'finished', attempts: 9 });
    expect(worker.events.of('jobRetrying').map(({ retriesLeft }) => retriesLeft)).toEqual([
      1, 0, 1, 0, 1, 0,
    ]);
  });

  it('also those of its handler, and each round has the time of `within` anew', async () => {
    let runs = 0;
    const worker = await engine.work({
      f: {
        run: () => {
          runs += 1;
          if (runs % 2 === 1) boom();
        },
        retry: { max: 1, within: '1500ms', interval: '10ms' },
      },
    });
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 2, interval: '1700ms' } });
    await worker.events.waitFor('jobFinished', 3);
    expect(runs).toBe(6);
    expect(await job.status()).toBe('finished');
  });

  it('of the retries that remain ends it', async () => {
    const worker = await engine.work({ f: boom });
    const job = await engine.queue().enqueue('f', 1, {
      repeat: { times: 5 },
      retry: { max: 1, interval: 0 },
    });
    await worker.events.waitFor('jobFailed');
    expect(await engine.places(job.id)).toEqual(['failed']);
  });
});

describe('somebody', () => {
  it('cancels it between two rounds', async () => {
    const worker = await engine.work({ f: () => 1 });
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 5, interval: 60 } });
    await worker.events.waitFor('jobFinished');
    await job.cancel();
    expect(await engine.places(job.id)).toEqual(['canceled']);
    await expect(job.result()).rejects.toMatchObject({ code: 'RQ_JOB_CANCELED' });
  });

  it.each(['cancel', 'stop'] as const)('ends it by %s while a round runs', async (action) => {
    let runs = 0;
    const worker = await engine.work({
      f: () => (runs++ === 0 ? 1 : new Promise(() => undefined)),
    });
    const job = await engine.queue().enqueue('f', 1, { repeat: { times: 5 } });
    await worker.events.waitFor('jobStarted', 2);
    await job[action]();
    await worker.events.waitFor('jobCanceled');
    expect(await engine.places(job.id)).toEqual([action === 'stop' ? 'failed' : 'canceled']);
  });
});

describe('a unique job that repeats', () => {
  it('keeps its key until the last round has ended', async () => {
    const last = deferred();
    let rounds = 0;
    const worker = await engine.work({ f: () => (++rounds === 1 ? undefined : last.promise) });
    const options = { unique: { by: 'a' }, repeat: { times: 1, interval: '100ms' } };
    const job = await engine.queue().enqueue('f', 1, options);
    await worker.events.waitFor('jobFinished');
    expect(await engine.queue().enqueue('f', 2, options)).toMatchObject({
      id: job.id,
      isNew: false,
    });
    last.resolve();
    await worker.events.waitFor('jobFinished', 2);
    expect((await engine.queue().enqueue('f', 3, options)).isNew).toBe(true);
  });
});

describe('a job of Python’s', () => {
  it('repeats by RQ’s rule, which reads the list from its end, and its results go to RQ’s stream', async () => {
    const runs = new Runs();
    const worker = await engine.work([
      { name: 'tasks.add', queue: 'tasks', run: runs.of(() => 3) },
    ]);
    await enqueueAsPython(engine.client, 'p', 'add', {
      repeats_left: '3',
      repeat_intervals: '[0.05, 0.3]',
      result_ttl: '100',
    });
    await worker.events.waitFor('jobFinished', 4);
    expectGaps(runs.gaps, [300, 300, 50]);
    expect(await engine.places('p', 'tasks')).toEqual(['finished']);
    expect(await engine.client.xlen('rq:results:p')).toBe(4);
    expect(await engine.fields('p')).not.toHaveProperty('result');
    expect(await engine.fields('p')).toMatchObject({ repeats_left: '0' });
  });

  it('has one budget of retries for all its rounds, as in RQ', async () => {
    let runs = 0;
    const run = () => {
      runs += 1;
      if (runs !== 2) boom();
    };
    const worker = await engine.work([{ name: 'tasks.add', queue: 'tasks', run }]);
    await enqueueAsPython(engine.client, 'p', 'add', {
      repeats_left: '2',
      repeat_intervals: '[0]',
      retries_left: '1',
      retry_intervals: '[0]',
    });
    await worker.events.waitFor('jobFailed');
    expect(runs).toBe(3);
    expect(await engine.places('p', 'tasks')).toEqual(['failed']);
  });

  it('fields that make no sense are none', async () => {
    const worker = await engine.work([{ name: 'tasks.add', queue: 'tasks', run: () => 3 }]);
    await enqueueAsPython(engine.client, 'a', 'add', { repeats_left: 'many' });
    await enqueueAsPython(engine.client, 'b', 'add', { repeats_left: '-1' });
    await enqueueAsPython(engine.client, 'c', 'add', { repeats_left: '1', repeat_intervals: '{' });
    await worker.events.waitFor('jobFinished', 4);
    for (const id of ['a', 'b', 'c'])
      expect(await engine.places(id, 'tasks')).toEqual(['finished']);
  });
});

describe('what is stored', () => {
  const stored: [RepeatOptions, number, number[]][] = [
    [{ times: 3 }, 3, [0]],
    [{ times: 3, interval: 5 }, 3, [5]],
    [{ times: 3, interval: [10, 30, 60] }, 3, [60, 30, 10]],
    [{ times: 5, interval: [10, 30] }, 5, [30, 30, 30, 30, 10]],
    [{ times: 5, interval: [10, 10, 30] }, 5, [30, 30, 30, 10]],
    [{ times: 2, interval: [10, 30, 60] }, 2, [30, 10]],
  ];

  it.each(stored)(
    '%j gives %i repeats and the list %j, from its end',
    async (repeat, times, list) => {
      const { id } = await engine.queue().enqueue('f', 1, { repeat });
      expect(await engine.fields(id)).toMatchObject({
        repeats_left: String(times),
        repeat_intervals: JSON.stringify(list),
      });
    },
  );

  const impossible: [unknown, string][] = [
    [3, 'repeat'],
    [null, 'repeat'],
    [{}, 'repeat.times'],
    [{ times: 0 }, 'repeat.times'],
    [{ times: 1.5 }, 'repeat.times'],
    [{ times: 1001 }, 'repeat.times'],
    [{ times: 1, interval: -1 }, 'repeat.interval'],
    [{ times: 1, interval: [] }, 'repeat.interval'],
    [{ times: 1, interval: [1, '1 hour'] }, 'repeat.interval[1]'],
    [{ times: 1, interval: { type: 'exponential', delay: 1 } }, 'repeat.interval'],
    [{ times: 1, every: 1 }, 'repeat.every'],
  ];

  it.each(impossible)('%j is refused', async (repeat, option) => {
    const enqueued = engine.queue().enqueue('f', 1, { repeat: repeat as RepeatOptions });
    const error: unknown = await enqueued.catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ option });
  });
});
