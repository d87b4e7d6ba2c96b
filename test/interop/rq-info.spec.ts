import { hostname } from 'node:os';
import { jest } from '@jest/globals';
import { deferred, eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';
import { lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** RQ's own monitor shows our queues and workers as it shows Python's. */
describeInterop('rq info', () => {
  const sides = useBothSides();

  const info = (...args: string[]) => sides.python.rq('info', ...args);

  /** Two jobs wait, one runs, one is finished, one has failed. */
  async function fillQueue() {
    const running = deferred();
    const release = deferred();
    const worker = await sides.nest.worker(
      {
        ok: () => 'ok',
        broken: () => Promise.reject(new Error('no')),
        hold: () => {
          running.resolve();
          return release.promise;
        },
      },
      { concurrency: 1, name: 'nest-1' },
    );
    const queue = sides.nest.queue();
    await (await queue.enqueue('ok')).result({ timeout: '10s' });
    await lookWhen(sides.python, (await queue.enqueue('broken')).id, 'failed');
    const held = await queue.enqueue('hold');
    await running.promise;
    await queue.enqueueMany([{ name: 'ok' }, { name: 'ok' }]);
    // A worker whose jobs were short may have claimed them ahead, and puts them back.
    await eventually(async () => (await sides.client.zcard('rq:wip:shared')) === 1, {
      what: 'two jobs to wait',
    });
    return { worker, held, release: () => release.resolve() };
  }

  /** What `rq info` says of the workers, once it says what is expected: heartbeats come at intervals. */
  const workerLines = (expected: RegExp, ...args: string[]) =>
    eventually(
      async () => {
        const text = await info('-W', ...args);
        return expected.test(text) && text;
      },
      { what: `rq info -W to print ${expected.source}`, every: 100, timeout: 15_000 },
    );

  const place = `\\(${hostname().replaceAll('.', '\\.')} \\S+ ${process.pid}\\)`;

  it('counts queued, executing, finished and failed jobs', async () => {
    const { release } = await fillQueue();
    expect(await info('--raw', '-Q')).toBe('queue shared 2, 1 executing, 1 finished, 1 failed\n');
    expect(await info('-Q')).toBe(
      'shared       |██ 2, 1 executing, 1 finished, 1 failed\n1 queues, 2 jobs total\n',
    );
    release();
    await eventually(
      async () =>
        (await info('--raw', '-Q')) === 'queue shared 0, 0 executing, 4 finished, 1 failed\n',
      { what: 'rq info to count all jobs as over', every: 100 },
    );
  });

  it('shows a busy worker with host, pid, queues and counters', async () => {
    const { release } = await fillQueue();
    await workerLines(
      new RegExp(
        `^nest-1 ${place}: busy shared\\. jobs: 1 finished, 1 failed\n1 workers, 1 queues\n$`,
      ),
    );
    await workerLines(
      new RegExp(`^worker nest-1 ${place} busy shared\\. jobs: 1 finished, 1 failed\n$`),
      '--raw',
    );
    expect(await info('-R', '-W')).toBe('shared: nest-1 (busy)\n1 workers, 1 queues\n');
    release();
    await workerLines(/: idle shared\. jobs: 4 finished, 1 failed\n/);
  });

  it('shows both parts at once', async () => {
    const { release } = await fillQueue();
    expect(await info()).toMatch(
      /^shared {7}\|██ 2, 1 executing, 1 finished, 1 failed\n1 queues, 2 jobs total\n\nnest-1 \(.*\): \w+ shared\. jobs: \d finished, \d failed\n1 workers, 1 queues\n\nUpdated: /,
    );
    release();
  });

  it('lists workers of both languages side by side', async () => {
    await sides.nest.queue().enqueueIn('1h', 'ok');
    await sides.nest.worker({ ok: () => 'ok' }, { name: 'nest-1' });
    await sides.python.worker('shared', { name: 'python-1' });
    // It says that it listens a moment before it writes down that it is idle.
    const state = () => sides.client.hget('rq:worker:python-1', 'state');
    await eventually(async () => (await state()) === 'idle', { what: 'it to be idle' });
    expect(await info('-R', '-W')).toBe(
      'shared: nest-1 (idle), python-1 (idle)\n2 workers, 1 queues\n',
    );
  });

  it('lists every queue of a worker', async () => {
    const run = () => undefined;
    await sides.nest.worker(
      { ok: { queue: 'high', run }, slow: { queue: 'low', run } },
      { name: 'nest-1', queues: ['high', 'low'] },
    );
    expect(await info('-W', '--raw')).toMatch(
      /^worker nest-1 \(.*\) idle high, low\. jobs: 0 finished, 0 failed\n$/,
    );
    expect(await info('-W', '-R', 'low')).toBe('low: nest-1 (idle)\n1 workers, 1 queues\n');
  });

  it('shows a queue as soon as a job was enqueued, also one for later', async () => {
    await sides.nest.queue('later').enqueueIn('1h', 'ok');
    expect(await info('--raw', '-Q')).toBe('queue later 0, 0 executing, 0 finished, 0 failed\n');
  });

  it('shows a suspended worker', async () => {
    await sides.nest.worker({ ok: () => 'ok' }, { name: 'nest-1' });
    await sides.python.rq('suspend');
    await sides.nest.queue().enqueue('ok');
    await workerLines(/: suspended shared\./);
    await sides.python.rq('resume');
    const line = await workerLines(/: idle shared\. jobs: 1 finished, 0 failed/);
    expect(line).toContain('nest-1');
  });

  it('no longer shows a worker that has stopped', async () => {
    await sides.nest.queue().enqueueIn('1h', 'ok');
    const worker = await sides.nest.worker({ ok: () => 'ok' }, { name: 'nest-1' });
    await worker.stop();
    expect(await info('-W')).toBe('0 workers, 1 queues\n');
    expect(await sides.client.hget('rq:worker:nest-1', 'death')).toMatch(/Z$/);
    expect(await sides.client.ttl('rq:worker:nest-1')).toBeLessThanOrEqual(60);
  });

  it('what RQ reads of a worker is all there', async () => {
    await sides.nest.worker({ ok: () => 'ok' }, { name: 'nest-1' });
    const seen = await sides.python.run<Record<string, unknown>>(`
      worker = Worker.find_by_key('rq:worker:nest-1', connection=connection, serializer=JSONSerializer)
      return {
          'queues': worker.queue_names(),
          'state': worker.get_state(),
          'hostname': worker.hostname,
          'pid': worker.pid,
          'alive': (datetime.now(timezone.utc) - worker.last_heartbeat).total_seconds() < 60,
          'born': worker.birth_date <= worker.last_heartbeat,
          'names': [w.name for w in Worker.all(connection=connection)],
          'of_queue': [w.name for w in Worker.all(queue=queue())],
      }
    `);
    expect(seen).toEqual({
      queues: ['shared'],
      state: 'idle',
      hostname: hostname(),
      pid: process.pid,
      alive: true,
      born: true,
      names: ['nest-1'],
      of_queue: ['nest-1'],
    });
    const ttl = await sides.client.ttl('rq:worker:nest-1');
    expect(ttl).toBeGreaterThan(40);
    expect(ttl).toBeLessThanOrEqual(60);
  });

  it('a Python worker may not take the name of a running one of ours', async () => {
    await sides.nest.worker({ ok: () => 'ok' }, { name: 'nest-1' });
    const { code, output } = await sides.python.tryRq(
      'worker',
      '--burst',
      '--name',
      'nest-1',
      'shared',
    );
    expect(output).toContain("There exists an active worker named 'nest-1' already");
    expect(code).not.toBe(0);
  });

  it('its cleaning does no harm to a job that runs here', async () => {
    const { held, release } = await fillQueue();
    for (let times = 0; times < 3; times++) await info();
    expect(await held.status()).toBe('started');
    release();
    await held.result({ timeout: '10s' });
    expect((await lookWhen(sides.python, held.id, 'finished')).places).toEqual(['finished']);
  });
});
