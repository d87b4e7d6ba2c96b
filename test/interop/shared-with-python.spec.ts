import { jest } from '@jest/globals';
import { deferred } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { NestSide } from './nest-side.js';
import { describeInterop } from './python-rq.js';
import { lookWhen } from './python-view.js';

jest.setTimeout(90_000);

/** What RQ's own classes, and the tools made of them, find of a Node job. */
describeInterop('with sharedWithPython, Python finds', () => {
  const sides = useBothSides();
  let nest: NestSide;

  beforeEach(async () => {
    nest = await NestSide.connect(sides.redis.url, { sharedWithPython: true });
  });
  afterEach(() => nest.close());

  it('the description that RQ itself would make of the call, and when it was enqueued', async () => {
    const job = await nest.queue().enqueueCall('tasks.add', {
      args: [1.5, "it's", null, true, [{ a: 'ä"\n' }], 'x'.repeat(200)],
      kwargs: { z: { deep: [1, 2, 3] }, a: 'first' },
    });
    const code = `
      job = fetch(given)
      assert job.description == job.get_call_string(), (job.description, job.get_call_string())
      return job.enqueued_at is not None and abs((job.enqueued_at - job.created_at).total_seconds()) < 20
    `;
    expect(await sides.python.run(code, job.id)).toBe(true);
  });

  it('enqueued_at of any job, also without the option', async () => {
    const job = await sides.nest.queue().enqueue('ok');
    expect(await sides.python.run('return fetch(given).enqueued_at is not None', job.id)).toBe(
      true,
    );
  });

  it('the execution of a running job, and none when it has ended', async () => {
    const running = deferred();
    const gate = deferred();
    await nest.worker(
      {
        slow: () => {
          running.resolve();
          return gate.promise;
        },
      },
      { name: 'nest-1' },
    );
    const job = await nest.queue().enqueue('slow');
    await running.promise;
    const code = `
      executions = fetch(given).get_executions()
      now = datetime.now(timezone.utc)
      return [
        {
          'fresh': abs((now - e.created_at).total_seconds()) < 20 and e.last_heartbeat >= e.created_at,
          'started': registry('started').get_job_ids(cleanup=False) == [given],
        }
        for e in executions
      ]
    `;
    expect(await sides.python.run(code, job.id)).toEqual([{ fresh: true, started: true }]);
    gate.resolve();
    await job.result({ timeout: '10s' });
    expect(await sides.python.run(code, job.id)).toEqual([]);
    // RQ deletes the executions of a job with it, and would raise at half a record.
    await sides.python.run('fetch(given).delete()', job.id);
  });

  it('the error of a failed job, and the latest result of a finished one', async () => {
    await nest.worker({ ok: () => [1], broken: () => Promise.reject(new TypeError('no')) });
    const ok = await nest.queue().enqueue('ok');
    const broken = await nest.queue().enqueue('broken');
    await ok.result({ timeout: '10s' });
    await lookWhen(sides.python, broken.id, 'failed');
    const result = `
      result = fetch(given).latest_result()
      return [result.type.name, result.return_value, (result.exc_string or '').split('\\n')[0]]
    `;
    expect(await sides.python.run(result, ok.id)).toEqual(['SUCCESSFUL', [1], '']);
    expect(await sides.python.run(result, broken.id)).toEqual(['FAILED', null, 'TypeError: no']);
    expect(await sides.python.run('return fetch(given).exc_info', broken.id)).toContain(
      'TypeError: no',
    );
  });

  it('a worker that lives, and not for longer than a minute after it was killed', async () => {
    const worker = await nest.worker({ ok: () => 1 }, { name: 'nest-1' });
    const code = 'return [w.name for w in Worker.all(connection=connection)]';
    expect(await sides.python.run(code)).toEqual([worker.name]);
    expect(await sides.client.ttl('rq:worker:nest-1')).toBeLessThanOrEqual(60);
    // As it is when that time is over.
    await sides.client.del('rq:worker:nest-1');
    expect(await sides.python.run(code)).toEqual([]);
    expect(await sides.client.smembers('rq:workers')).toEqual([]);
  });
});
