import { jest } from '@jest/globals';
import type { JobCallback } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';

jest.setTimeout(90_000);

const CALLBACKS = {
  onSuccess: 'tasks.on_success',
  onFailure: 'tasks.on_failure',
  onStopped: 'tasks.on_stopped',
};

describeInterop('callbacks', () => {
  const sides = useBothSides();

  const called = () => sides.client.lrange('test:callbacks', 0, -1);

  it('that Nest gives a call are called by a Python worker, at each of their moments', async () => {
    const queue = sides.nest.queue();
    const good = await queue.enqueueCall('tasks.add', { args: [1, 2] }, CALLBACKS);
    const bad = await queue.enqueueCall('tasks.fail', { args: ['no'] }, { ...CALLBACKS, ttl: 60 });
    const again = { ...CALLBACKS, repeat: { times: 1, interval: 0 } };
    const twice = await queue.enqueueCall('tasks.add', { args: [2, 3] }, again);
    const long = await queue.enqueueCall('tasks.wait_for', { args: ['never'] }, CALLBACKS);
    await sides.python.worker('shared');
    await eventually(() => sides.client.exists('test:runs:never'), { what: 'the long job to run' });
    await long.stop();
    // The second round waits behind the long job.
    await eventually(async () => (await called()).length === 5, { what: 'all callbacks' });
    expect(await called()).toEqual([
      `success ${good.id} 3`,
      `failure ${bad.id} ValueError: no`,
      `success ${twice.id} 5`,
      `stopped ${long.id}`,
      `success ${twice.id} 5`,
    ]);
  });

  it('of which Nest gives only one', async () => {
    const callbacks = { onFailure: 'tasks.on_failure' };
    const job = await sides.nest
      .queue()
      .enqueueCall('tasks.fail', { args: ['no'] }, { ...callbacks, failureTtl: 60 });
    await sides.python.worker('shared', { burst: true });
    expect(await called()).toEqual([`failure ${job.id} ValueError: no`]);
  });

  it('of Python are told to whoever takes their place when a Nest worker runs the job', async () => {
    const told: string[] = [];
    const tell = ({ callback, on, event }: JobCallback) =>
      void told.push(`${event.jobId} ${callback} ${on} ${event.type}`);
    const names = `on_success=Callback("os.system"), on_failure=Callback("tasks.on_failure"), on_stopped=Callback("a.b")`;
    const [good, bad, twice, long, none] = await sides.python.run<string[]>(`
q = queue()
return [
    q.enqueue("good", ${names}).id,
    q.enqueue("bad", retry=Retry(max=1), ${names}).id,
    q.enqueue("good", repeat=Repeat(times=1), ${names}).id,
    q.enqueue("long", ${names}).id,
    q.enqueue("good").id,
]`);
    await sides.nest.worker(
      {
        good: () => 1,
        bad: () => Promise.reject(new Error('no')),
        long: () => new Promise(() => undefined),
      },
      { observer: { jobCallback: tell } },
    );
    const stop = sides.nest.queue().job(long ?? '');
    await eventually(async () => (await stop.status()) === 'started', { what: 'a job to run' });
    await stop.stop();
    await sides.nest
      .queue()
      .job(none ?? '')
      .result();
    await eventually(() => told.length >= 6, { what: 'the callbacks to be told' });
    expect(told.toSorted()).toEqual(
      [
        `${good} os.system success finished`,
        `${twice} os.system success finished`,
        `${twice} os.system success finished`,
        `${bad} tasks.on_failure failure retrying`,
        `${bad} tasks.on_failure failure failed`,
        `${long} a.b stopped canceled`,
      ].toSorted(),
    );
    expect(await called()).toEqual([]);
  });
});
