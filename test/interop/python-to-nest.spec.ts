import { jest } from '@jest/globals';
import type { RunningJob } from '../../lib/index.js';
import { EARLINESS, LATENESS } from '../support/timing.js';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** What a Python program enqueues runs here, and Python then sees what it would see of one of its own workers. */
describeInterop('jobs that Python enqueues and Nest runs', () => {
  const sides = useBothSides();

  const enqueue = (call: string) => sides.python.run<string>(`return queue().enqueue(${call}).id`);

  describe('the payload', () => {
    const forms: [string, string, unknown, unknown[], object][] = [
      [
        'one positional argument is the data',
        '"sendMail", {"to": "x"}',
        { to: 'x' },
        [{ to: 'x' }],
        {},
      ],
      [
        'only keyword arguments are one object',
        '"sendMail", to="x", n=2',
        { to: 'x', n: 2 },
        [],
        { to: 'x', n: 2 },
      ],
      [
        'several positional arguments are an array',
        '"sendMail", 1, "b", None',
        [1, 'b', null],
        [1, 'b', null],
        {},
      ],
      [
        'positional and keyword arguments: the array, the rest beside it',
        '"sendMail", 1, 2, to="x"',
        [1, 2],
        [1, 2],
        { to: 'x' },
      ],
      ['text beyond ASCII', '"sendMail", "\\u00e9\\u4e2d\\U0001f600"', 'é中😀', ['é中😀'], {}],
      ['None', '"sendMail", None', null, [null], {}],
    ];

    it.each(forms)('%s', async (_form, call, data, args, kwargs) => {
      const id = await enqueue(call);
      await sides.nest.worker({
        sendMail: (given, job) => ({ data: given, args: job.args, kwargs: job.kwargs }),
      });
      const view = await lookWhen(sides.python, id, 'finished');
      expect(view.return_value).toEqual({ data, args, kwargs });
    });

    it('without arguments there is none', async () => {
      const id = await enqueue('"sendMail"');
      await sides.nest.worker({ sendMail: (_, job) => [job.args, job.kwargs] });
      expect((await lookWhen(sides.python, id, 'finished')).return_value).toEqual([[], {}]);
    });
  });

  describe('the outcome, seen from Python', () => {
    it('success', async () => {
      const id = await enqueue('"sum", [1, 2]');
      const worker = await sides.nest.worker({
        sum: (data) => ({ total: (data as number[]).length + 1 }),
      });
      expect(await lookWhen(sides.python, id, 'finished')).toMatchObject({
        is_finished: true,
        is_failed: false,
        return_value: { total: 3 },
        result_type: 'SUCCESSFUL',
        exc_string: null,
        results: 1,
        worker_name: worker.name,
        places: ['finished'],
      });
    });

    it.each([['0'], ['""'], ['false'], ['[]'], ['"é中😀"'], ['{"a":{"b":[1.5,null]}}']])(
      'the result %s',
      async (json) => {
        const id = await enqueue('"give"');
        await sides.nest.worker({ give: () => JSON.parse(json) as unknown });
        const view = await lookWhen(sides.python, id, 'finished');
        expect(view.return_value).toEqual(JSON.parse(json));
        expect(view.result_type).toBe('SUCCESSFUL');
      },
    );

    it('no result', async () => {
      const id = await enqueue('"give"');
      await sides.nest.worker({ give: () => undefined });
      expect(await lookWhen(sides.python, id, 'finished')).toMatchObject({
        return_value: null,
        result_type: 'SUCCESSFUL',
      });
    });

    it('failure', async () => {
      const id = await enqueue('"broken"');
      await sides.nest.worker({
        broken: () => {
          throw new TypeError('it is broken');
        },
      });
      const view = await lookWhen(sides.python, id, 'failed');
      expect(view).toMatchObject({
        is_failed: true,
        is_finished: false,
        return_value: null,
        result_type: 'FAILED',
        results: 1,
        places: ['failed'],
      });
      expect(view.exc_string).toContain('TypeError: it is broken');
      expect(view.exc_string).toMatch(/\n\s+at .*python-to-nest\.spec/);
    });

    it('waiting for a retry', async () => {
      const id = await enqueue('"broken", retry=Retry(max=2, interval=60)');
      await sides.nest.worker({ broken: () => Promise.reject(new Error('not yet')) });
      expect(await lookWhen(sides.python, id, 'scheduled')).toMatchObject({
        is_scheduled: true,
        is_failed: false,
        retries_left: 1,
        places: ['scheduled'],
      });
      const wait = await sides.python.run<number>(
        'return (registry("scheduled").get_scheduled_time(given) - datetime.now(timezone.utc)).total_seconds()',
        id,
      );
      expect(wait).toBeGreaterThan(55);
      expect(wait).toBeLessThanOrEqual(61);
    });

    it('retries exhausted', async () => {
      const id = await enqueue('"broken", retry=Retry(max=2)');
      let runs = 0;
      await sides.nest.worker({ broken: () => Promise.reject(new Error(`run ${++runs}`)) });
      const view = await lookWhen(sides.python, id, 'failed');
      expect(view).toMatchObject({
        is_failed: true,
        retries_left: 0,
        result_type: 'FAILED',
        places: ['failed'],
      });
      expect(view.exc_string).toContain('run 3');
      expect(runs).toBe(3);
    });

    it('a name that nobody registered fails and says which are known', async () => {
      const id = await enqueue('"unheardOf"');
      await sides.nest.worker({ sendMail: () => undefined });
      const view = await lookWhen(sides.python, id, 'failed');
      expect(view.exc_string).toContain('UnknownJobError');
      expect(view.exc_string).toContain('sendMail');
    });
  });

  describe("Python's Retry is followed, with RQ's rule for which interval", () => {
    const rules: [string, string, number[]][] = [
      [
        'a list shorter than max repeats its first value',
        'Retry(max=4, interval=[0.03, 0.06])',
        [30, 30, 30, 60],
      ],
      [
        'of a list longer than max the last ones count',
        'Retry(max=2, interval=[9, 9, 0.03, 0.06])',
        [30, 60],
      ],
      ['one interval', 'Retry(max=3, interval=[0.02])', [20, 20, 20]],
      ['no interval', 'Retry(max=2)', [0, 0]],
    ];

    it.each(rules)('%s', async (_rule, retry, expected) => {
      const delays: number[] = [];
      const id = await enqueue(`"broken", retry=${retry}`);
      await sides.nest.worker(
        { broken: () => Promise.reject(new Error('again')) },
        { observer: { jobRetrying: ({ delay }) => delays.push(delay) } },
      );
      await lookWhen(sides.python, id, 'failed');
      expect(delays).toEqual(expected);
    });

    it('Retry(max=3, interval=[1, 2, 3]) waits one, two and three seconds', async () => {
      const starts: number[] = [];
      const id = await enqueue('"thrice", retry=Retry(max=3, interval=[1, 2, 3])');
      await sides.nest.worker({
        thrice: (_, job) => {
          starts.push(performance.now());
          if (job.attempt <= 3) throw new Error('again');
          return job.attempt;
        },
      });
      expect((await lookWhen(sides.python, id, 'finished')).return_value).toBe(4);
      const gaps = starts.slice(1).map((start, index) => start - starts[index]!);
      for (const [index, gap] of gaps.entries()) {
        expect(gap).toBeGreaterThanOrEqual((index + 1) * 1000 - EARLINESS);
        expect(gap).toBeLessThan((index + 1) * 1000 + LATENESS);
      }
      expect(gaps).toHaveLength(3);
    });
  });

  describe('options given in Python', () => {
    it('enqueue_in: not before it is due', async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue_in(timedelta(seconds=1.5), "later").id',
      );
      const due = Number(await sides.client.zscore('rq:scheduled:shared', id)) * 1000;
      let ranAt = 0;
      await sides.nest.worker({ later: () => void (ranAt = Date.now()) });
      await lookWhen(sides.python, id, 'finished');
      expect(ranAt).toBeGreaterThanOrEqual(due);
      expect(ranAt - due).toBeLessThan(LATENESS);
    });

    it('enqueue_at with at_front goes to the head when it is due', async () => {
      const order: unknown[] = [];
      await sides.python.run(`
        for n in range(3):
            queue().enqueue('note', n)
        queue().enqueue_at(datetime.now(timezone.utc) - timedelta(seconds=1), 'note', 'due', at_front=True)
      `);
      await sides.nest.worker({ note: (data) => void order.push(data) }, { concurrency: 1 });
      await eventually(() => order.length === 4, { what: 'all four jobs' });
      expect(order).toEqual(['due', 0, 1, 2]);
    });

    it('at_front', async () => {
      const order: unknown[] = [];
      await sides.python.run(`
        queue().enqueue('note', 'second')
        queue().enqueue('note', 'third')
        queue().enqueue('note', 'first', at_front=True)
      `);
      await sides.nest.worker({ note: (data) => void order.push(data) }, { concurrency: 1 });
      await eventually(() => order.length === 3, { what: 'all three jobs' });
      expect(order).toEqual(['first', 'second', 'third']);
    });

    it('job_timeout ends the job', async () => {
      const id = await enqueue('"endless", job_timeout=1');
      let aborted = false;
      const start = Date.now();
      await sides.nest.worker({
        endless: (_, job) =>
          new Promise(() =>
            job.signal.addEventListener('abort', () => (aborted = true), { once: true }),
          ),
      });
      const view = await lookWhen(sides.python, id, 'failed');
      expect(Date.now() - start).toBeGreaterThanOrEqual(900);
      expect(aborted).toBe(true);
      expect(view.exc_string).toContain('JobTimeoutError');
    });

    it('a timeout in the form "1m" is understood, although not all Python versions read it back', async () => {
      const id = await enqueue('"ok"');
      await sides.client.hset(`rq:job:${id}`, 'timeout', '1m');
      await sides.nest.worker({ ok: () => 'ok' });
      expect(await (await sides.nest.queue().getJob(id))!.result({ timeout: '10s' })).toBe('ok');
    });

    it('result_ttl', async () => {
      const ids = await sides.python.run<string[]>(
        'return [queue().enqueue("ok", result_ttl=ttl).id for ttl in [100, -1, None]]',
      );
      await sides.nest.worker({ ok: () => 'ok' });
      for (const id of ids) await lookWhen(sides.python, id, 'finished');
      const client = sides.client;
      const [short, forever, usual] = await Promise.all(
        ids.map((id) => client.ttl(`rq:job:${id}`)),
      );
      expect(short).toBeGreaterThan(50);
      expect(short).toBeLessThanOrEqual(100);
      expect(forever).toBe(-1);
      expect(usual).toBeGreaterThan(450);
      expect(usual).toBeLessThanOrEqual(500);
      expect(await client.ttl(`rq:results:${ids[0]}`)).toBeGreaterThan(50);
      expect(await client.ttl(`rq:results:${ids[1]}`)).toBe(-1);
      expect(await client.zscore('rq:finished:shared', ids[1]!)).toBe('inf');
      // Neither is dropped by Python's cleaning.
      expect(await sides.python.run('return registry("finished").get_job_count()')).toBe(3);
    });

    it('result_ttl=0 leaves nothing', async () => {
      const id = await enqueue('"ok", result_ttl=0');
      const finished = new Promise<void>((resolve) => {
        void sides.nest.worker({ ok: () => 'ok' }, { observer: { jobFinished: () => resolve() } });
      });
      await finished;
      expect(await sides.python.run('return Job.exists(given, connection)', id)).toBe(false);
      expect(await sides.client.keys(`*${id}*`)).toEqual([]);
      expect(await sides.client.zcard('rq:finished:shared')).toBe(0);
    });

    it('failure_ttl', async () => {
      const ids = await sides.python.run<string[]>(
        'return [queue().enqueue("broken", failure_ttl=ttl).id for ttl in [100, -1, None]]',
      );
      await sides.nest.worker({ broken: () => Promise.reject(new Error('no')) });
      for (const id of ids) await lookWhen(sides.python, id, 'failed');
      const client = sides.client;
      const [short, forever, usual] = await Promise.all(
        ids.map((id) => client.ttl(`rq:job:${id}`)),
      );
      expect(short).toBeGreaterThan(50);
      expect(short).toBeLessThanOrEqual(100);
      expect(forever).toBe(-1);
      expect(usual).toBeGreaterThan(31_535_000);
      expect(await client.zscore('rq:failed:shared', ids[1]!)).toBe('-1');
      expect(await client.ttl(`rq:results:${ids[2]}`)).toBeGreaterThan(0);
      expect(await sides.python.run('return registry("failed").get_job_count()')).toBe(3);
    });

    it('ttl counts while the job waits, not while it runs', async () => {
      const id = await enqueue('"look", ttl=1000');
      expect(await sides.client.ttl(`rq:job:${id}`)).toBeGreaterThan(990);
      await sides.nest.worker({ look: (_, job) => sides.client.ttl(`rq:job:${job.id}`) });
      expect((await lookWhen(sides.python, id, 'finished')).return_value).toBe(-1);
    });

    it('a job whose ttl is over is passed by', async () => {
      const dropped: string[] = [];
      const gone = await enqueue('"note", 1, ttl=1000');
      const stays = await enqueue('"note", 2');
      await sides.client.del(`rq:job:${gone}`);
      await sides.nest.worker(
        { note: (data) => data },
        { observer: { jobDropped: ({ jobId }) => void dropped.push(jobId) } },
      );
      expect((await lookWhen(sides.python, stays, 'finished')).return_value).toBe(2);
      expect(dropped).toEqual([gone]);
      expect(await sides.client.exists(`rq:job:${gone}`)).toBe(0);
    });

    it('meta is found, and what the handler saves is seen in Python', async () => {
      const id = await enqueue('"work", meta={"a": 1, "e": "\\u00e9"}');
      const found: unknown[] = [];
      await sides.nest.worker({
        work: async (_, job: RunningJob) => {
          found.push({ ...job.meta });
          await job.saveMeta({ ...job.meta, done: true });
        },
      });
      const view = await lookWhen(sides.python, id, 'finished');
      expect(found).toEqual([{ a: 1, e: 'é' }]);
      expect(view.meta).toEqual({ a: 1, e: 'é', done: true });
    });

    it('description stays as it is, given or made by RQ', async () => {
      const given = await enqueue('"ok", 1, description="my job"');
      const made = await enqueue('"ok", 1, b=2');
      await sides.nest.worker({ ok: () => 'ok' });
      expect((await lookWhen(sides.python, given, 'finished')).description).toBe('my job');
      expect((await lookWhen(sides.python, made, 'finished')).description).toBe('ok(1, b=2)');
    });
  });

  it('Python sees a job that is running here as started, by this worker', async () => {
    const id = await enqueue('"wait"');
    const gate = deferred();
    const worker = await sides.nest.worker({ wait: () => gate.promise });
    const view = await lookWhen(sides.python, id, 'started');
    expect(view).toMatchObject({ worker_name: worker.name, places: ['started'] });
    const executions = await sides.python.run<string[][]>(
      'return registry("started").get_job_and_execution_ids()',
    );
    expect(executions).toEqual([[id, expect.stringMatching(/^[0-9a-f]{64}$/)]]);
    gate.resolve();
    expect(await lookWhen(sides.python, id, 'finished')).toMatchObject({ places: ['finished'] });
  });

  it('every date that Python wrote or reads back is in order', async () => {
    const id = await enqueue('"ok"');
    await sides.nest.worker({ ok: () => 'ok' });
    await lookWhen(sides.python, id, 'finished');
    expect(
      await sides.python.run(
        `
        job = fetch(given)
        dates = [job.created_at, job.enqueued_at, job.started_at, job.ended_at]
        return all(dates) and dates == sorted(dates)
        `,
        id,
      ),
    ).toBe(true);
    expect((await look(sides.python, id)).status).toBe('finished');
  });
});
