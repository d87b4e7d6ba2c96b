// What can be done from the dashboard is done, and shown: jobs of all kinds, many jobs with progress that all viewers see,
// limits, schedules, search, failures, and what strangers have put into Redis.
import type {
  AlertAnswer,
  ChartAnswer,
  FailuresAnswer,
  JobAnswer,
  ListAnswer,
  LiveAnswer,
  OperationAnswer,
  QueueDetailAnswer,
  SearchAnswer,
} from '../../lib/dashboard/server/answers.js';
import { OUTCOME_CODES, RUN_TIMES, placeOfDuration } from '../../lib/wire/figures.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { type Answer, post, send } from './support/requests.js';
import { packed } from './support/scene.js';
import { type Site, startSite } from './support/site.js';

let redis: RedisServer;
let site: Site;
beforeAll(async () => {
  redis = await startRedis();
  site = await startSite(redis.url, {
    dashboard: {
      allowAnonymous: true,
      redact: ['data.pin', 'payments:data.iban'],
      links: { trace: 'https://traces.example.com/t/{traceId}' },
    },
  });
});
afterAll(async () => {
  await site.close();
  await redis.stop();
});

const ask = async <Body>(path: string): Promise<Body> =>
  (await send(`${site.url}/api/${path}`)).json<Body>();
const tell = (path: string, body: object): Promise<Answer> => post(`${site.url}/api/${path}`, body);
const queue = (name: string) => site.inspector.queue(name);

async function failedJobs(count: number, name = 'chargeCard'): Promise<void> {
  const before = (await queue('payments').counts()).failed;
  await queue('payments').enqueueMany(
    Array.from({ length: count }, (_, index) => ({ name, data: { port: 1000 + index } })),
  );
  await eventually(async () => (await queue('payments').counts()).failed === before + count, {
    what: 'the jobs to fail',
  });
}

afterEach(async () => {
  await redis.client().flushall();
});

describe('one job', () => {
  it('that waits says what for', async () => {
    const held = queue('held');
    await held.setLimits({ handler: 'send', concurrency: { total: 0 } }, { for: '1h' });
    const job = await held.enqueue('send', {}, { key: 'a' });
    const { text } = await send(`${site.url}/api/job?id=${job.id}`);
    expect((JSON.parse(text) as JobAnswer).heldUpBy).toEqual([
      {
        what: 'limit total 0, by which nothing starts (handler send)',
        until: expect.any(Number),
      },
      { what: 'a worker: none serves queue held', until: null },
    ]);
  });

  it('is shown with its attempts, data and cause, and without its secrets', async () => {
    const job = await queue('payments').enqueue('chargeCard', {
      port: 443,
      pin: 'pin-code',
      iban: 'DE00 0000',
      apiKey: 'k-1',
      card: 'Visa 4111 1111 1111 1111',
      order: 'o_1',
    } as never);
    await eventually(async () => (await job.status()) === 'failed', { what: 'the job to fail' });
    const { text } = await send(`${site.url}/api/job?id=${job.id}`);
    const answer = JSON.parse(text) as JobAnswer;
    expect(answer).toMatchObject({
      status: 'failed',
      name: 'chargeCard',
      attempts: 2,
      redacted: true,
    });
    expect(answer.attemptList.map(({ outcome }) => outcome)).toEqual(['retrying', 'failed']);
    expect(answer.failure).toBe('ConnectTimeoutError: connect ETIMEDOUT 10.2.0.14:443');
    expect(answer.cause).toMatch(/^[\da-f]{10}$/);
    expect(answer.data).toEqual({
      port: 443,
      pin: '•••',
      iban: '•••',
      apiKey: '•••',
      card: 'Visa •••',
      order: 'o_1',
    });
    expect(text).not.toMatch(/pin-code|DE00|k-1|4111 1111/);
  });

  it('can be requeued, edited and enqueued anew, canceled, promoted, deleted', async () => {
    await failedJobs(1);
    const { id } = (await queue('payments').jobs('failed'))[0]!;
    expect((await tell('job/anew', { id, data: { order: 'new' } })).status).toBe(200);
    const anew = (await tell('job/anew', { id, data: { port: 7 } })).json<{ id: string }>();
    expect(anew.id).not.toBe(id);
    await eventually(async () => (await queue('payments').job(anew.id).status()) === 'failed', {
      what: 'the new job to run',
    });
    expect((await queue('payments').job(anew.id).refresh()).meta).toMatchObject({ again_of: id });
    expect((await tell('job/anew', { id, data: { password: '•••' } })).status).toBe(400);

    expect((await tell('job/requeue', { id, fresh: true })).status).toBe(200);
    const later = await queue('other').enqueueIn('1h', 'x', {});
    expect((await tell('job/promote', { id: later.id })).status).toBe(200);
    expect(await later.status()).toBe('queued');
    expect((await tell('job/cancel', { id: later.id })).status).toBe(200);
    expect(await later.status()).toBe('canceled');
    expect((await tell('job/stop', { id: later.id })).status).toBe(409);
    expect((await tell('job/delete', { id: later.id })).status).toBe(200);
    expect((await send(`${site.url}/api/job?id=${later.id}`)).status).toBe(404);
  });

  it('shows both sides of a dependency, and the trace that it came from', async () => {
    const parent = await queue('other').enqueue('parent', {});
    const child = await queue('other').enqueue(
      'child',
      {},
      {
        dependsOn: parent,
        meta: {
          headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
        },
      },
    );
    expect((await ask<JobAnswer>(`job?id=${parent.id}`)).dependents).toEqual([
      { id: child.id, queue: 'other', status: 'deferred', name: 'child' },
    ]);
    const answer = await ask<JobAnswer>(`job?id=${child.id}`);
    expect(answer.waitsFor).toEqual([
      { id: parent.id, queue: 'other', status: 'queued', name: 'parent' },
    ]);
    expect(answer.trace).toBe('https://traces.example.com/t/0af7651916cd43dd8448eb211c80319c');
  });
});

describe('many jobs', () => {
  it('are counted first, then done for all to see, and in the end the audit says how many', async () => {
    await failedJobs(20);
    const { groups } = await ask<FailuresAnswer>('failures');
    expect(groups).toMatchObject([{ count: 20, error: 'ConnectTimeoutError', name: 'chargeCard' }]);
    const selection = { queue: 'payments', in: 'failed', cause: groups[0]?.cause };
    const dry = (await tell('jobs/delete', { ...selection, dryRun: true })).json();
    expect(dry).toEqual({ count: 20 });
    const begun = (await tell('jobs/delete', selection)).json<OperationAnswer>();
    const ended = await eventually(
      async () => {
        const state = await site.inspector.desk.operations.get(begun.id);
        return state?.state === 'done' && state;
      },
      { what: 'the operation to end' },
    );
    expect(ended).toMatchObject({ done: 20, who: 'anonymous', action: 'delete' });
    expect((await queue('payments').counts()).failed).toBe(0);
    await eventually(
      async () => {
        const [last] = await site.inspector.desk.audit.entries({ limit: 1 });
        return last?.result === 'done' && last.count === 20;
      },
      { what: 'the end in the audit' },
    );
    const { set } = await ask<{ set: Record<string, OperationAnswer> }>('overview');
    expect(set[`op:${begun.id}`]).toMatchObject({ state: 'done', done: 20 });
    const undone = await tell('operation/undo', { id: begun.id });
    expect(undone.json()).toEqual({ restored: 20, refused: 0 });
    expect((await queue('payments').counts()).failed).toBe(20);
    expect((await tell('operation/undo', { id: begun.id })).status).toBe(404);
  });

  it('can be slowed, canceled by anybody, and taken over when its process has died', async () => {
    await queue('slow').enqueueMany(Array.from({ length: 60 }, () => ({ name: 'x', data: {} })));
    const begun = (
      await tell('jobs/cancel', { queue: 'slow', in: 'queued', rate: 10 })
    ).json<OperationAnswer>();
    await eventually(
      async () => ((await site.inspector.desk.operations.get(begun.id))?.done ?? 0) > 0,
      { what: 'progress' },
    );
    expect((await tell('operation/cancel', { id: begun.id })).status).toBe(200);
    const state = await eventually(
      async () => {
        const found = await site.inspector.desk.operations.get(begun.id);
        return found?.state === 'canceled' && found;
      },
      { what: 'the operation to end' },
    );
    expect(state.done).toBeLessThan(60);

    // As a process leaves it that was killed in the midst of it.
    const client = redis.client();
    const id = 'feedfeedfeedfeed';
    const request = JSON.stringify({
      action: 'cancel',
      queue: 'slow',
      selection: { in: 'queued' },
      who: 'ada',
    });
    await client.hset(`rq:nrq:op:${id}`, {
      request,
      state: 'running',
      startedAt: Date.now(),
      done: 5,
    });
    await client.zadd('rq:nrq:ops', Date.now(), id);
    await eventually(
      async () => {
        await ask('overview');
        return (await site.inspector.desk.operations.get(id))?.state === 'done';
      },
      { what: 'the operation to be taken over', every: 200, timeout: 25_000 },
    );
    expect((await queue('slow').counts()).queued).toBe(0);
  }, 60_000);
});

describe('search', () => {
  it('finds by name, error, cause, worker, attempts, age, data and id, and says how far it looked', async () => {
    await failedJobs(3);
    const one = await queue('mail').enqueue('sendMail', { user: { id: 42 } });
    await queue('mail').enqueue('sendMail', { user: { id: 43 } });
    const found = async (q: string) => ask<SearchAnswer>(`search?q=${encodeURIComponent(q)}`);
    expect((await found('name:charge')).jobs).toHaveLength(3);
    expect((await found('error:ETIMEDOUT')).jobs).toHaveLength(3);
    expect((await found('status:failed attempts:>1 age:<1h worker:web-1')).jobs).toHaveLength(3);
    expect((await found('status:failed attempts:>2')).jobs).toHaveLength(0);
    expect((await found('data.user.id:42')).jobs.map(({ id }) => id)).toEqual([one.id]);
    expect((await found(one.id)).jobs.map(({ id }) => id)).toEqual([one.id]);
    expect((await found('queue:mail sendmail')).jobs).toHaveLength(2);
    expect(await found('queue:payments status:failed')).toMatchObject({
      selection: { queue: 'payments', in: 'failed' },
      complete: true,
      looked: 3,
    });
    expect((await found('name:charge status:failed')).selection).toBeNull();
    for (const q of ['nonsense:1', 'status:odd', 'age:soon', 'data.password:x']) {
      expect((await send(`${site.url}/api/search?q=${encodeURIComponent(q)}`)).status).toBe(400);
    }
    const file = await send(`${site.url}/api/export?q=${encodeURIComponent('name:charge')}`);
    expect(
      file.text
        .trim()
        .split('\n')
        .map((line) => (JSON.parse(line) as { name: string }).name),
    ).toEqual(['chargeCard', 'chargeCard', 'chargeCard']);
  });

  it('lists a place by pages, the newest of ended jobs first', async () => {
    await queue('mail').enqueueMany(
      Array.from({ length: 5 }, (_, index) => ({ name: `n${index}`, data: {} })),
    );
    const page = await ask<ListAnswer>('list?queue=mail&in=queued&limit=2&from=2');
    expect(page).toMatchObject({ total: 5, jobs: [{ name: 'n2' }, { name: 'n3' }] });
    await queue('mail').cancel({ in: 'queued' });
    const canceled = await ask<ListAnswer>('list?queue=mail&in=canceled&limit=100');
    expect(canceled.jobs).toHaveLength(5);
    expect((await send(`${site.url}/api/list?queue=mail&in=odd`)).status).toBe(400);
    expect((await send(`${site.url}/api/list?queue=mail&limit=1e999`)).status).toBe(400);
  });
});

describe('queues, schedules, workers', () => {
  it('limits are set and shown, and end', async () => {
    expect(
      (await tell('queue/limits', { queue: 'crm', handler: 'sync', total: 5, minutes: 10 })).status,
    ).toBe(200);
    const { limits } = await ask<QueueDetailAnswer>('queue?queue=crm');
    expect(limits).toMatchObject([{ handler: 'sync', from: 'set', total: 5 }]);
    expect(limits[0]?.until).toBeGreaterThan(Date.now());
    await tell('queue/limits', { queue: 'crm', handler: 'sync' });
    expect((await ask<QueueDetailAnswer>('queue?queue=crm')).limits).toEqual([]);
    expect((await tell('queue/limits', { queue: 'crm', key: 'k', total: 1 })).status).toBe(400);
  });

  it('schedules are listed, paused, run and removed', async () => {
    await queue('reports').schedule(
      'daily',
      { cron: '0 6 * * *', tz: 'Europe/Berlin' },
      'report',
      {},
    );
    const list = () => ask<{ id: string; paused: boolean; cron: string }[]>('schedules');
    expect(await list()).toMatchObject([{ id: 'daily', cron: '0 6 * * *', paused: false }]);
    await tell('schedule', { id: 'daily', queue: 'reports', do: 'pause' });
    expect(await list()).toMatchObject([{ paused: true }]);
    await tell('schedule', { id: 'daily', queue: 'reports', do: 'run' });
    expect((await queue('reports').counts()).queued).toBe(1);
    expect((await tell('schedule', { id: 'daily', queue: 'elsewhere', do: 'remove' })).status).toBe(
      404,
    );
    await tell('schedule', { id: 'daily', queue: 'reports', do: 'remove' });
    expect(await list()).toEqual([]);
  });

  it('alerts are shown, muted for a while, told again, and the audit says by whom', async () => {
    const record = { rule: 'backlog', queue: 'mail', state: 'firing', severity: 'warning' };
    const numbers = { value: 900, limit: 500, since: 1000, at: Date.now(), calm: 0 };
    const id = 'mail backlog';
    await queue('mail').enqueue('x', {});
    await redis.client().hset('rq:nrq:alerts', id, JSON.stringify({ ...record, ...numbers }));
    const shown = async () => {
      await eventually(async () => `alert:${id}` in (await ask<LiveAnswer>('overview')).set, {
        what: 'the alert to be shown',
      });
      return (await ask<LiveAnswer>('overview')).set[`alert:${id}`] as AlertAnswer;
    };
    expect(await shown()).toMatchObject({ value: 900, limit: 500, since: 1000, mutedUntil: null });
    expect((await tell('alert/mute', { id, queue: 'mail', minutes: 60 })).status).toBe(200);
    const [muted] = await site.inspector.alerts();
    expect(muted?.state).toBe('muted');
    expect(muted!.mutedUntil!.getTime() - Date.now()).toBeGreaterThan(3_000_000);
    const [entry] = await site.inspector.desk.audit.entries({ limit: 1 });
    expect(entry).toMatchObject({
      action: 'alert/mute',
      queue: 'mail',
      what: 'mail backlog 60m',
      result: 'done',
    });
    await tell('alert/mute', { id, queue: 'mail', minutes: 0 });
    expect((await site.inspector.alerts())[0]?.state).toBe('firing');
    expect((await tell('alert/mute', { id: 'mail oldest' })).status).toBe(404);
    expect((await tell('alert/mute', { id, minutes: 'long' })).status).toBe(400);
  });

  it('history can be compared with the day before, and shows how long runs took', async () => {
    const step = (seconds: number, back: number) => Math.floor(Date.now() / 1000 / seconds) - back;
    const bucket = (seconds: number, at: number, counts: [number, number][]) =>
      redis.client().hset(`rq:nrq:stats:mail:${seconds}:${at}`, 'j:send', packed(new Map(counts)));
    const minute = step(60, 5);
    await bucket(60, minute, [
      [OUTCOME_CODES.finished, 30],
      [RUN_TIMES + placeOfDuration(40), 29],
      [RUN_TIMES + placeOfDuration(2000), 1],
    ]);
    // Of the day before there are quarters of an hour only.
    await bucket(900, Math.floor((minute * 60 - 86_400) / 900), [[OUTCOME_CODES.finished, 150]]);
    const chart = await ask<ChartAnswer>('history?queue=mail&last=1h&compare=1&heat=1');
    const at = chart.points.findIndex(({ finished }) => finished === 30);
    expect(chart.points[at]?.at).toBe(minute * 60_000);
    expect(chart.before?.shiftMs).toBe(86_400_000);
    expect(chart.before?.points).toHaveLength(chart.points.length);
    expect(chart.before?.points[at]).toMatchObject({ at: minute * 60_000, finished: 10 });
    expect(chart.heat?.bounds).toEqual([50, 100, 200, 500, 1000, 2000]);
    expect(chart.heat?.counts[at]).toEqual([29, 0, 0, 0, 0, 1]);
    const plain = await ask<ChartAnswer>('history?last=90d&compare=1');
    expect([plain.before, plain.heat]).toEqual([undefined, undefined]);
  });

  it('everything can be suspended, a queue emptied, a job enqueued', async () => {
    await tell('suspend', { on: true });
    expect(await redis.client().exists('rq:suspended')).toBe(1);
    await tell('suspend', { on: false });
    expect(await redis.client().exists('rq:suspended')).toBe(0);
    const made = (await tell('queue/enqueue', { queue: 'mail', name: 'x', data: { a: 1 } })).json<{
      id: string;
    }>();
    expect((await queue('mail').job(made.id).refresh()).data).toEqual({ a: 1 });
    expect((await tell('queue/empty', { queue: 'mail' })).json()).toEqual({ count: 1 });
    expect((await tell('worker/end', { worker: 'nobody' })).status).toBe(404);
  });
});

it('what strangers have put into Redis breaks nothing, and leaves as text', async () => {
  const client = redis.client();
  const evil = '<script>alert(1)</script>\u202E\u001b[31m</script>';
  await client.sadd('rq:queues', 'rq:queue:odd', `rq:queue:${evil}`);
  const records: Record<string, Record<string, string>> = {
    html: {
      data: JSON.stringify([evil, null, [{ ['__proto__']: evil, constructor: evil }], {}]),
      status: 'failed',
      exc_info: `Error: ${evil}`,
      ended_at: 'never',
      description: evil,
    },
    pickle: { data: '\u0080\u0004cos\nsystem\n', status: 'failed' },
    deep: { data: `["deep",null,[${'['.repeat(5000)}${']'.repeat(5000)}],{}]`, status: 'failed' },
    nan: {
      data: '["nan",null,[NaN,Infinity],{}]',
      status: 'failed',
      created_at: '9999999-99-99',
      nrq_attempts: 'NaN',
      retries_left: '1e999',
    },
    long: { data: JSON.stringify(['long', null, ['x'.repeat(3_000_000)], {}]), status: 'failed' },
  };
  for (const [id, fields] of Object.entries(records)) {
    await client.hset(`rq:job:stranger-${id}`, { origin: 'odd', ...fields });
    await client.zadd('rq:failed:odd', Date.now() / 1000 + 1000, `stranger-${id}`);
  }
  await client.hset('rq:worker:evil', {
    birth: 'x',
    queues: evil,
    nrq_running: '{',
    nrq_slots: '-1',
    hostname: evil,
    last_heartbeat: '0',
  });
  await client.sadd('rq:workers', 'rq:worker:evil', `rq:worker:${evil}`);
  await client.xadd('rq:nrq:audit', '*', 'who', evil, 'count', 'NaN', 'odd', evil);
  const lastFailure = { jobId: evil, reason: evil };
  const about = { rule: 'critical', queue: 'odd', job: evil, lastFailure };
  const alert = { ...about, state: 'firing', severity: evil };
  const numbers = { value: 1e300, limit: -1, since: 0, at: 0, calm: 0 };
  await client.hset('rq:nrq:alerts', {
    [`odd critical ${evil}`]: JSON.stringify({ ...alert, ...numbers, value: 3 }),
    'odd backlog': JSON.stringify({ ...alert, ...numbers }),
    'odd oldest': '{',
    [`mute\nodd critical ${evil}`]: 'soon',
  });
  await client.hset('rq:nrq:op:x', { request: '{', state: evil });
  await client.zadd('rq:nrq:ops', Date.now(), 'x');
  for (const path of [
    '',
    'api/overview',
    'api/failures',
    'api/search?q=',
    'api/audit',
    'api/redis',
    'api/schedules',
    'api/list?queue=odd&in=failed',
    'api/queue?queue=odd',
    ...Object.keys(records).map((id) => `api/job?id=stranger-${id}`),
  ]) {
    const { status, text, headers } = await send(`${site.url}/${path}`.replace(/\/$/, ''));
    expect([path, status]).toEqual([path, 200]);
    // The page is HTML: there it must not stand. Elsewhere it is text that nobody takes for HTML.
    expect([
      path,
      headers['content-type']?.includes('html') === true && text.includes('<script>alert'),
    ]).toEqual([path, false]);
    expect(text.length).toBeLessThan(500_000);
  }
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});
