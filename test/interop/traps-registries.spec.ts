import { jest } from '@jest/globals';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { sweep } from './families.js';
import { OddJobs } from './odd-jobs.js';
import { describeInterop } from './python-rq.js';
import { look, lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/**
 * Somebody has a job wait for one that is about to be written as finished. A Python worker writes it anew then, and knows
 * its run no more.
 */
const FORGOTTEN_RUN = `
job = queue().enqueue('tasks.add', 1, 2)
enqueue_dependents = Queue.enqueue_dependents
changes = [lambda: connection.sadd(job.dependents_key, 'comes-late')]
def changed_meanwhile(self, *args, **options):
    enqueue_dependents(self, *args, **options)
    if changes:
        changes.pop()()
Queue.enqueue_dependents = changed_meanwhile
try:
    rq.SimpleWorker([queue()], connection=connection, serializer=JSONSerializer).work(burst=True)
finally:
    Queue.enqueue_dependents = enqueue_dependents
return job.id
`;

/** The traps for a writer that is not Python: each has ended a Python worker, `rq info` or a job before. */
describeInterop('the traps of sharing registries, meta and results with Python', () => {
  const sides = useBothSides();

  const odd = new OddJobs(sides);

  describe('meta that other tools have rewritten', () => {
    it.each([
      ['short', { a: 1 }],
      ['longer than 255 bytes', { text: 'é'.repeat(400) }],
    ])('%s: the pickle around our JSON is taken off', async (_case, meta) => {
      const job = await sides.nest.queue().enqueue('look', null, { meta });
      // What `rq info` and dashboards do: they read and save with the default serializer.
      await sides.python.run('fetch(given, DefaultSerializer).save()', job.id);
      const stored = (await sides.client.hmgetBuffer(`rq:job:${job.id}`, 'meta'))[0]!;
      expect(stored[0]).toBe(0x80);
      await sides.nest.worker({ look: (_, running) => running.meta });
      expect(await job.result({ timeout: '10s' })).toEqual(meta);
      expect((await job.refresh()).meta).toEqual(meta);
    });

    it('any other pickle counts as empty and stays as it is', async () => {
      const id = await sides.python.run<string>(`
        job = queue().create_job('look')
        queue().enqueue_job(job)
        job.serializer = DefaultSerializer
        job.meta = {'a': 1}
        job.save_meta()
        return job.id
      `);
      const before = await sides.client.hgetBuffer(`rq:job:${id}`, 'meta');
      const found: unknown[] = [];
      await odd.runAll({ look: (_, job) => void found.push(job.meta) });
      expect(found).toEqual([{}]);
      expect(await sides.client.hgetBuffer(`rq:job:${id}`, 'meta')).toEqual(before);
    });

    it.each(['{', '[]', '1', 'null', '"text"', '{"__proto__":{"x":1}}'])(
      'meta %s does no harm',
      async (meta) => {
        await odd.write('odd', { meta });
        await odd.runAll();
        expect(({} as Record<string, unknown>)['x']).toBeUndefined();
        expect(await sides.client.hget('rq:job:odd', 'status')).toBe('finished');
      },
    );

    it('rq info on an abandoned job of ours with meta: it runs again with its meta', async () => {
      const job = await sides.nest
        .queue()
        .enqueue('look', null, { meta: { a: 1 }, retry: { max: 1, interval: 0 } });
      await sides.client.lpop('rq:queue:shared');
      await sides.client.hset(`rq:job:${job.id}`, 'status', 'started', 'worker_name', 'gone');
      await sides.client.zadd(
        'rq:wip:shared',
        Date.now() / 1000 - 5,
        `${job.id}:${'e'.repeat(32)}`,
      );
      expect(await sides.python.rq('info', '--raw', '-Q')).toContain('queue shared 1, 0 executing');
      await sides.nest.worker({ look: (_, running) => running.meta });
      expect(await job.result({ timeout: '10s' })).toEqual({ a: 1 });
      expect((await job.refresh()).retriesLeft).toBe(0);
    });
  });

  describe('callbacks', () => {
    it('our jobs never name one, so that cleaning up after them ends no Python worker', async () => {
      const job = await sides.nest.queue().enqueue('note', 1, { retry: { max: 1, interval: 0 } });
      const hash = await sides.client.hgetall(`rq:job:${job.id}`);
      const callbacks = Object.keys(hash).filter((name) => name.includes('callback_name'));
      expect(callbacks.map((name) => hash[name]).filter((name) => name !== '')).toEqual([]);
      await sides.client.lpop('rq:queue:shared');
      await sides.client.hset(`rq:job:${job.id}`, 'status', 'started', 'retries_left', '0');
      await sides.client.zadd(
        'rq:wip:shared',
        Date.now() / 1000 - 5,
        `${job.id}:${'e'.repeat(32)}`,
      );
      await sides.python.worker('shared', { burst: true });
      expect((await look(sides.python, job.id)).exc_string).toContain('AbandonedJobError');
    });

    it("Python's are left in the job, and do not keep it from running here", async () => {
      const id = await sides.python.run<string>(
        'return queue().enqueue("note", "called", on_failure=Callback("tasks.note_failure"), on_success=Callback("no.such.name")).id',
      );
      expect(await odd.runAll()).toContain('called');
      expect(
        await sides.client.hmget(`rq:job:${id}`, 'failure_callback_name', 'success_callback_name'),
      ).toEqual(['tasks.note_failure', 'no.such.name']);
    });
  });

  describe('the started registry', () => {
    it('its members are JOB:EXECUTION, scored with the end of the lease', async () => {
      const release = deferred();
      const job = await sides.nest.queue().enqueue('hold');
      await sides.nest.worker({ hold: () => release.promise }, { lease: '20s' });
      await lookWhen(sides.python, job.id, 'started');
      const [member, score] = await sides.client.zrangebyscore(
        'rq:wip:shared',
        '-inf',
        '+inf',
        'WITHSCORES',
      );
      expect(member).toMatch(new RegExp(`^${job.id}:[0-9a-f]{64}$`));
      expect(Number(score) - Date.now() / 1000).toBeGreaterThan(5);
      expect(Number(score) - Date.now() / 1000).toBeLessThanOrEqual(21);
      expect(
        await sides.python.run(
          'return [given in registry("started"), fetch(given).get_executions()]',
          job.id,
        ),
      ).toEqual([true, []]);
      release.resolve();
      await job.result({ timeout: '10s' });
      expect(await sides.client.zcard('rq:wip:shared')).toBe(0);
    });

    it('a bare JOB, as old versions write it, is recovered too', async () => {
      await odd.write('old', { status: 'started' });
      await sides.client.del('rq:queue:shared');
      await sides.client.zadd('rq:wip:shared', Date.now() / 1000 - 5, 'old');
      await sides.nest.worker({ note: (data) => data });
      await eventually(
        async () => (await sides.client.hget('rq:job:old', 'status')) === 'finished',
        {
          what: 'the job to be recovered and run',
          timeout: 25_000,
        },
      );
    });

    it('one whose job is gone is dropped', async () => {
      await sides.client.zadd('rq:wip:shared', Date.now() / 1000 - 5, `gone:${'e'.repeat(32)}`);
      await sides.nest.worker({ note: () => undefined });
      await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 0, {
        what: 'the member to be dropped',
        timeout: 25_000,
      });
      expect(await sides.client.exists('rq:job:gone')).toBe(0);
    });

    it('a run that Python forgets is taken out by the sweep, when no worker is at it', async () => {
      const id = await sides.python.run<string>(FORGOTTEN_RUN);
      const member = () => sides.client.zrange('rq:wip:shared', '0', '-1');
      expect(await lookWhen(sides.python, id, 'finished')).toMatchObject({
        places: ['started', 'finished'],
      });
      const job = sides.nest.queue().job(id);
      // Its worker has not come to the end of it: three turns change nothing.
      await sides.client.hset('rq:worker:busy', 'current_job', id);
      await sides.client.sadd('rq:workers:shared', 'rq:worker:busy');
      for (let turn = 0; turn < 3; turn += 1) await sweep(sides);
      expect(await member()).toEqual([expect.stringContaining(id)]);
      await sides.client.hdel('rq:worker:busy', 'current_job');
      await sweep(sides);
      expect(await member()).toHaveLength(1);
      await sweep(sides);
      expect(await member()).toEqual([]);
      expect(await sides.client.keys('rq:execution*')).toEqual([]);
      await job.requeue({ finished: true });
      await sides.nest.worker({ 'tasks.add': () => 'again' });
      expect(await job.result({ timeout: '10s' })).toBe('again');
    });
  });

  it('deferred jobs of Python are left alone, whatever their score', async () => {
    const ids = await sides.python.run<string[]>(`
      parent = queue('elsewhere').enqueue('note')
      children = [queue().enqueue('note', n, depends_on=parent, ttl=ttl) for n, ttl in enumerate([None, 3600])]
      return [child.id for child in children]
    `);
    await sides.client.zadd('rq:deferred:shared', 'XX', 1, ids[0]!);
    expect(await odd.runAll()).toEqual(['ordinary']);
    for (const id of ids)
      expect(await look(sides.python, id)).toMatchObject({
        status: 'deferred',
        places: ['deferred'],
      });
  });

  describe('results', () => {
    it('are of types that every RQ reads', async () => {
      const ids = await sides.python.run<string[]>(`
        return [
            queue().enqueue('ok').id,
            queue().enqueue('broken', retry=Retry(max=2)).id,
            queue().enqueue('stop').id,
        ]
      `);
      await sides.nest.worker({
        ok: () => 1,
        broken: () => Promise.reject(new Error('no')),
        stop: (_, job) =>
          new Promise((_resolve, reject) =>
            job.signal.addEventListener('abort', () => reject(new Error('stopped'))),
          ),
      });
      await lookWhen(sides.python, ids[2]!, 'started');
      await sides.python.run(
        'send_stop_job_command(connection, given, serializer=JSONSerializer)',
        ids[2],
      );
      await lookWhen(sides.python, ids[0]!, 'finished');
      await lookWhen(sides.python, ids[1]!, 'failed');
      await lookWhen(sides.python, ids[2]!, 'stopped');
      for (const id of ids) {
        const entries = await sides.client.xrange(`rq:results:${id}`, '-', '+');
        expect(entries.length).toBeGreaterThan(0);
        for (const [, fields] of entries)
          expect(['1', '2']).toContain(fields[fields.indexOf('type') + 1]);
        expect(await sides.client.ttl(`rq:results:${id}`)).toBeGreaterThan(0);
      }
    });

    it('of a type that we do not know are passed over', async () => {
      const id = await sides.python.run<string>('return queue().enqueue("ok").id');
      await sides.client.xadd(`rq:results:${id}`, '*', 'type', '9', 'return_value', 'x');
      await sides.nest.worker({ ok: () => 'ok' });
      expect(await (await sides.nest.queue().getJob(id))!.result({ timeout: '10s' })).toBe('ok');
    });
  });

  it('a busy worker does not name its current job: dashboards cannot read one of JSON', async () => {
    const release = deferred();
    const worker = await sides.nest.worker({ hold: () => release.promise });
    const job = await sides.nest.queue().enqueue('hold');
    await lookWhen(sides.python, job.id, 'started');
    expect(await sides.client.hexists(`rq:worker:${worker.name}`, 'current_job')).toBe(0);
    expect(await sides.client.exists(`rq:worker:${worker.name}:executions`)).toBe(0);
    release.resolve();
    await job.result({ timeout: '10s' });
  });

  it('an id that stands twice in the queue runs once', async () => {
    const job = await sides.nest.queue().enqueue('note', 'twice');
    await sides.python.run('queue().push_job_id(given)', job.id);
    expect(await odd.runAll()).toEqual(['twice', 'ordinary']);
  });

  it('a queue of a name with unusual letters is shared as well', async () => {
    const name = 'é queue.1-a_b';
    const id = await sides.python.run<string>('return queue(given).enqueue("note", 1).id', name);
    await sides.nest.worker({ note: (data) => data }, { queue: name });
    expect((await lookWhen(sides.python, id, 'finished')).return_value).toBe(1);
  });
});
