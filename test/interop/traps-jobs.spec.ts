import { jest } from '@jest/globals';
import { deferred } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { OddJobs } from './odd-jobs.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

const RQ_STATUSES = 'queued started finished failed deferred scheduled stopped canceled'.split(' ');
const INTEGER = /^-?\d+$/;
const DATE = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/;

/** The traps for a writer that is not Python: each has ended a Python worker, `rq info` or a job before. */
describeInterop('the traps of sharing jobs with Python', () => {
  const sides = useBothSides();

  const odd = new OddJobs(sides);

  describe('job ids', () => {
    it('ours are of the letters that every RQ takes', async () => {
      const queue = sides.nest.queue();
      const jobs = [
        await queue.enqueue('note'),
        ...(await queue.enqueueMany([{ name: 'note' }, { name: 'note' }])),
      ];
      for (const { id } of jobs) expect(id).toMatch(/^[A-Za-z0-9_-]+$/);
    });

    it.each(['a:b', 'a b', 'é', 'a.b', '', 'a/b', 'a\n'])('the id %j is refused', async (id) => {
      await expect(sides.nest.queue().enqueue('note', 1, { id })).rejects.toMatchObject({
        code: 'RQ_INVALID_OPTION',
      });
      expect(await sides.client.keys('*')).toEqual([]);
    });

    it.each(['a b.c', 'é中', 'x'.repeat(500)])(
      'the id %j from elsewhere does not stop a worker',
      async (id) => {
        await odd.write(id, {});
        expect(await odd.runAll()).toContain('ordinary');
        expect(await sides.client.llen('rq:queue:shared')).toBe(0);
      },
    );
  });

  describe('statuses', () => {
    it('Python knows each that a job of ours goes through', async () => {
      const seen = new Set<string>();
      const release = deferred();
      const statusOf = async (id: string) => void seen.add((await look(sides.python, id)).status);
      const queue = sides.nest.queue();
      const later = await queue.enqueueIn('1h', 'note');
      await statusOf(later.id);
      await later.cancel();
      await statusOf(later.id);
      const held = await queue.enqueue('hold');
      await statusOf(held.id);
      await sides.nest.worker({
        hold: () => release.promise,
        broken: () => Promise.reject(new Error('no')),
      });
      await lookWhen(sides.python, held.id, 'started');
      await statusOf(held.id);
      release.resolve();
      await held.result({ timeout: '10s' });
      await statusOf(held.id);
      await lookWhen(sides.python, (await queue.enqueue('broken')).id, 'failed');
      seen.add('failed');
      expect([...seen].sort()).toEqual([
        'canceled',
        'failed',
        'finished',
        'queued',
        'scheduled',
        'started',
      ]);
      expect(RQ_STATUSES).toEqual(expect.arrayContaining([...seen]));
    });

    it.each(['ready_to_enqueue', 'rate_limited', 'created', 'nonsense', ''])(
      'the status %j of a newer RQ does not stop a worker',
      async (status) => {
        await odd.write('odd', { status });
        expect(await odd.runAll()).toContain('ordinary');
      },
    );
  });

  describe('numbers', () => {
    it('all that RQ reads as integers are integers', async () => {
      const job = await sides.nest.queue().enqueue('broken', 1, {
        timeout: '1500ms',
        ttl: 1.5,
        resultTtl: '2500ms',
        failureTtl: 100.25,
        retry: { max: 2, interval: 0.01 },
      });
      const check = async () => {
        const hash = await sides.client.hgetall(`rq:job:${job.id}`);
        const names = [
          'timeout',
          'ttl',
          'result_ttl',
          'failure_ttl',
          'retries_left',
          'number_of_retries',
        ];
        const wrong = names.filter((name) => name in hash && !INTEGER.test(hash[name]!));
        expect(wrong).toEqual([]);
        return hash;
      };
      expect(await check()).toMatchObject({
        timeout: '2',
        ttl: '2',
        result_ttl: '3',
        failure_ttl: '101',
      });
      await sides.nest.worker({ broken: () => Promise.reject(new Error('no')) });
      await lookWhen(sides.python, job.id, 'failed');
      await check();
    });

    it('the list of retry intervals is never empty', async () => {
      const job = await sides.nest.queue().enqueue('note', 1, { retry: { max: 1, interval: 0 } });
      const text = await sides.client.hget(`rq:job:${job.id}`, 'retry_intervals');
      // RQ takes an item of it without a look: an empty list ends its workers and `rq info`.
      expect(text === null ? undefined : JSON.parse(text)).not.toEqual([]);
    });

    it('there is always a timeout: without, Python worker ends after half a minute', async () => {
      for (const options of [undefined, {}, { timeout: false }, { timeout: '5m' }] as const) {
        const job = await sides.nest.queue().enqueue('note', 1, options);
        expect(await sides.client.hget(`rq:job:${job.id}`, 'timeout')).toMatch(INTEGER);
      }
    });

    it.each([
      'timeout',
      'ttl',
      'result_ttl',
      'failure_ttl',
      'retries_left',
      'retry_intervals',
      'number_of_retries',
    ])('nonsense in %s does not stop a worker', async (field) => {
      for (const [index, value] of ['', 'x', '1.5', '-7', '1e99', 'null', '[]'].entries()) {
        await odd.write(`odd${index}`, { [field]: value });
      }
      expect(await odd.runAll()).toContain('ordinary');
      expect(await sides.client.llen('rq:queue:shared')).toBe(0);
    });
  });

  describe('dates', () => {
    it('ours end in Z, in every state', async () => {
      const queue = sides.nest.queue();
      const ok = await queue.enqueue('note');
      const broken = await queue.enqueue('broken');
      const worker = await sides.nest.worker({
        note: () => undefined,
        broken: () => Promise.reject(new Error('no')),
      });
      await ok.result({ timeout: '10s' });
      await lookWhen(sides.python, broken.id, 'failed');
      const later = await queue.enqueueIn('1h', 'note');
      for (const id of [ok.id, broken.id, later.id]) {
        const hash = await sides.client.hgetall(`rq:job:${id}`);
        const names = ['created_at', 'enqueued_at', 'started_at', 'ended_at', 'last_heartbeat'];
        expect(names.filter((name) => hash[name] && !DATE.test(hash[name]))).toEqual([]);
        expect(hash['created_at']).toMatch(DATE);
      }
      const record = await sides.client.hgetall(`rq:worker:${worker.name}`);
      expect(record['birth']).toMatch(DATE);
      expect(record['last_heartbeat']).toMatch(DATE);
    });

    it.each(['2026-01-01T00:00:00+00:00', '2026-01-01T00:00:00Z', 'yesterday', ''])(
      'the date %j in a job does not stop a worker',
      async (date) => {
        await odd.write('odd', {
          created_at: date,
          enqueued_at: date,
          started_at: date,
          ended_at: date,
        });
        expect(await odd.runAll()).toEqual(['odd', 'ordinary']);
      },
    );
  });

  describe('data', () => {
    it('NaN and Infinity, which Python writes and JSON has not, become null', async () => {
      await sides.python.run(
        'queue().enqueue("note", [float("nan"), float("inf"), -float("inf"), "NaN"])',
      );
      expect(await odd.runAll()).toEqual([[null, null, null, 'NaN'], 'ordinary']);
    });

    it('NaN in a result of Python', async () => {
      const job = await sides.nest.queue().enqueueCall('tasks.not_a_number', {});
      await sides.python.worker('shared');
      expect(await job.result({ timeout: '10s' })).toMatchObject({ nan: null, inf: null });
    });

    it('NaN in meta', async () => {
      await sides.python.run('queue().enqueue("look", meta={"x": float("nan"), "y": 1})');
      const found: unknown[] = [];
      await odd.runAll({ look: (_, job) => void found.push(job.meta) });
      expect(found).toEqual([{ x: null, y: 1 }]);
    });

    it('what a handler returns is JSON that Python reads', async () => {
      const id = await sides.python.run<string>('return queue().enqueue("give").id');
      await sides.nest.worker({
        give: () => ({ nan: NaN, text: '\u2028\ud83d\ude00', deep: [[[1e21]]] }),
      });
      const view = await lookWhen(sides.python, id, 'finished');
      expect(view.return_value).toEqual({ nan: null, text: '\u2028😀', deep: [[[1e21]]] });
    });

    it('a pickled job fails with a clear reason, seen by Python too, and is not decoded', async () => {
      const id = await sides.python.run<string>(`
        class Bomb:
            def __reduce__(self):
                return (os.system, ('touch /tmp/nestjs-rq-bomb',))
        return queue(serializer=DefaultSerializer).enqueue('note', Bomb()).id
      `);
      expect(await odd.runAll()).toEqual(['ordinary']);
      const reason = await sides.python.run<string>(
        'return fetch(given, DefaultSerializer).latest_result().exc_string',
        id,
      );
      expect(reason).toContain('MalformedJobError');
      expect(reason).toContain('pickle');
      expect(await sides.client.hget(`rq:job:${id}`, 'status')).toBe('failed');
    });

    it.each([
      ['not JSON', '{'],
      ['no array', '{"a":1}'],
      ['too short', '["note",null,[]]'],
      ['a name that is no text', '[1,null,[],{}]'],
      ['arguments that are no array', '["note",null,{},{}]'],
      ['a method of an object', '["note",{"a":1},[],{}]'],
      ['empty', ''],
      ['damaged zlib', Buffer.from([0x78, 0x9c, 1, 2, 3])],
      ['a dangerous name', '["__proto__",null,[],{}]'],
      ['a dangerous name', '["constructor",null,[],{}]'],
    ])('data that is %s fails with a reason', async (_case, data) => {
      await odd.write('odd', { data });
      expect(await odd.runAll()).toEqual(['ordinary']);
      expect(await sides.client.hget('rq:job:odd', 'status')).toBe('failed');
      expect(await sides.client.hget('rq:job:odd', 'exc_info')).toMatch(
        /(Malformed|Unknown)JobError/,
      );
    });

    it('what stands in the queue but is no job does not stop a worker', async () => {
      await sides.client.rpush('rq:queue:shared', 'no-such-job', 'a-list', 'no-data');
      await sides.client.rpush('rq:job:a-list', 'x');
      await sides.client.hset('rq:job:no-data', 'status', 'queued');
      expect(await odd.runAll()).toEqual(['ordinary']);
      expect(await sides.client.llen('rq:queue:shared')).toBe(0);
    });

    it('data without zlib, and the zlib of Python, are both read', async () => {
      await odd.write('plain', {});
      await sides.python.run('queue().enqueue("note", "deflated")');
      expect(await odd.runAll()).toEqual(['odd', 'deflated', 'ordinary']);
    });

    it('the smallest job that RQ takes', async () => {
      await sides.client.hset('rq:job:small', 'data', '["note",null,["small"],{}]');
      await sides.client.rpush('rq:queue:shared', 'small');
      expect(await odd.runAll()).toEqual(['small', 'ordinary']);
    });
  });
});
