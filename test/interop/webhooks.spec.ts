import { jest } from '@jest/globals';
import { HttpServer } from '../support/http-server.js';
import { useBothSides } from './both-sides.js';
import { describeInterop } from './python-rq.js';

jest.setTimeout(90_000);

/** RQ has webhooks from 2.10 on; older versions leave the field alone. */
describeInterop('webhooks', () => {
  const sides = useBothSides();
  const hooks = new HttpServer();
  beforeAll(() => hooks.start());
  afterEach(() => hooks.reset());
  afterAll(() => hooks.stop());

  const hasWebhooks = () => Number(sides.python.version.split('.')[1]) >= 10;

  it('that Nest gives a job are sent by a Python worker, with the body that ours has', async () => {
    const queue = sides.nest.queue();
    const webhooks = (['finished', 'failed'] as const).map((on) => {
      const url = `${hooks.origin}/${on}`;
      return { url, on, method: 'POST', headers: { 'X-Token': 't' }, timeout: '5s' } as const;
    });
    const jobs = [
      await queue.enqueueCall('tasks.add', { args: [1, 2] }, { webhooks }),
      await queue.enqueueCall('tasks.fail', { args: ['no'] }, { webhooks }),
    ];
    await sides.python.worker('shared', { burst: true });
    expect(await Promise.all(jobs.map((job) => job.status()))).toEqual(['finished', 'failed']);
    // It has sent them before it ended.
    const theirs = [...hooks.heard];
    expect(theirs).toHaveLength(hasWebhooks() ? 2 : 0);
    hooks.reset();

    const again = [
      await queue.enqueueCall('tasks.add', { args: [1, 2] }, { webhooks }),
      await queue.enqueueCall('tasks.fail', { args: ['no'] }, { webhooks }),
    ];
    await sides.nest.worker(
      { 'tasks.add': () => 3, 'tasks.fail': () => Promise.reject(new Error('no')) },
      { webhooks: { allow: [hooks.origin] } },
    );
    await again[0]?.result();
    const ours = [...(await hooks.requests(2))];
    for (const [index, their] of theirs.entries()) {
      const our = ours.find(({ url }) => url === their.url);
      const [ourBody, theirBody] = [our, their].map(
        (heard) => JSON.parse(heard?.body ?? '') as Record<string, string>,
      );
      expect(Object.keys(ourBody ?? {})).toEqual(Object.keys(theirBody ?? {}));
      expect(theirBody).toMatchObject({ job_id: jobs[index]?.id });
      expect(ourBody).toMatchObject({
        job_id: again[index]?.id,
        func_name: theirBody?.['func_name'],
        status: theirBody?.['status'],
      });
      for (const time of ['enqueued_at', 'ended_at'] as const) {
        const shape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$/;
        expect(ourBody?.[time]).toMatch(shape);
        expect(theirBody?.[time]).toMatch(shape);
      }
      expect(our?.headers).toMatchObject({ 'content-type': 'application/json', 'x-token': 't' });
    }
  });

  it('that Python gives a job are sent by a Nest worker', async () => {
    if (!hasWebhooks()) return;
    const id = await sides.python.run<string>(
      `
from rq import Webhook
hooks = [
    Webhook(given + '/get', 'finished'),
    Webhook(given + '/post', 'finished', method='POST', headers={'X-Token': 't'}, timeout=3),
    Webhook(given + '/failed', 'failed'),
]
return queue().enqueue('work', webhooks=hooks).id`,
      hooks.origin,
    );
    await sides.nest.worker({ work: () => 1 }, { webhooks: { allow: [hooks.origin] } });
    const heard = [...(await hooks.requests(2))].toSorted((one, other) =>
      String(one.url).localeCompare(String(other.url)),
    );
    expect(heard).toMatchObject([
      { method: 'GET', url: '/get', body: '' },
      { method: 'POST', url: '/post', headers: { 'x-token': 't' } },
    ]);
    expect(JSON.parse(heard[1]?.body ?? '')).toMatchObject({ job_id: id, func_name: 'work' });
  });
});
