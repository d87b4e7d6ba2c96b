// The rights that a process needs: derived from the scripts, shown in docs/redis.md, enough to work, and named when
// they are missing.
import { readFileSync } from 'node:fs';
import { UnusableRedisError } from '../../lib/job/index.js';
import { RqInspector } from '../../lib/observe/index.js';
import { Queue } from '../../lib/queue/index.js';
import type { RedisJobStore } from '../../lib/store/index.js';
import { type Role, rightsOf } from '../../lib/store/rights.js';
import { Keyspace } from '../../lib/wire/index.js';
import { Scheduler } from '../../lib/worker/index.js';
import { eventually } from '../support/wait.js';
import { Engine } from './support/engine.js';
import { LAYOUT, commandHere, itOnOneServer, nameHere } from './support/layout.js';

const engine = Engine.forThisFile();

const page = (name: string) =>
  readFileSync(new URL(`../../docs/${name}.md`, import.meta.url), 'utf8');

/** The line of docs/redis.md for a role, without the words that begin it, as docs/cluster.md changes it for clusters. */
function documented(role: Role, layout: 'shared' | 'cluster' = HERE): string[] {
  const line = new RegExp(`^ACL SETUSER rq-${role} (.*)$`, 'm').exec(page('redis'))?.[1];
  // What stands in parentheses is one word.
  const words = line?.match(/\([^)]*\)|\S+/g) ?? [];
  return layout === 'shared' ? words : words.map(onCluster).concat('+cluster|slots');
}

const HERE = LAYOUT === 'shared' ? LAYOUT : 'cluster';

/** The table of docs/cluster.md: what stands there in place of a word of docs/redis.md. */
function onCluster(word: string): string {
  const rows = page('cluster').matchAll(/^\| `([+(][^`]+)` +\| `([^`]+)` +\|$/gm);
  const words = Array.from(rows, (row) => row.slice(1).map((one) => one.replaceAll('\\|', '|')));
  return words.find(([one]) => one === word)?.[1] ?? word;
}

/** Not needed by all: links without a name work, too, and few ask for replicas. */
const OPTIONAL = {
  producer: ['client|setname', 'wait'],
  worker: ['client|setname', 'wait'],
  watcher: ['client|setname'],
};

async function storeAs(user: string, rights: readonly string[]): Promise<RedisJobStore> {
  await engine.client.call('ACL', 'SETUSER', user, 'reset', ...rights);
  return engine.openStore({}, { login: { user, password: 'PASSWORD' } });
}

const denials = async () =>
  Number(/errorstat_NOPERM:count=(\d+)/.exec(await engine.client.info('errorstats'))?.[1] ?? 0);

describe.each(['producer', 'worker', 'watcher'] as const)(
  'the rights of a %s in the documentation',
  (role) => {
    it('are those that its scripts and commands need, and those for naming links and for replicas', () => {
      const { commands } = rightsOf(role, new Keyspace());
      const shown = documented(role, 'shared').filter((word) => word.startsWith('+'));
      const all = [...commands, ...OPTIONAL[role]].toSorted();
      expect(shown).toEqual(all.map((command) => `+${command}`));
    });

    it('are those on a cluster, too', () => {
      const { commands } = rightsOf(role, new Keyspace(), 'cluster');
      const shown = documented(role, 'cluster').filter((word) => word.startsWith('+'));
      const all = [...commands, ...OPTIONAL[role], 'cluster|slots'];
      expect(shown.toSorted()).toEqual(all.map((command) => `+${command}`).toSorted());
    });
  },
);

it('schedules are made and fired with exactly these rights', async () => {
  const producer = await storeAs('p', documented('producer'));
  const worker = await storeAs('w', documented('worker'));
  // A new connection asks for more, which these rights do not allow.
  const stop = await worker.schedules.onChange(() => undefined);
  const before = await denials();
  const queue = new Queue('jobs', producer);
  const schedule = await queue.schedule('x', '@yearly', 'ok', 1, { immediately: true });
  const scheduler = new Scheduler(worker);
  await scheduler.catchUp();
  await worker.schedules.tidy();
  await schedule.pause();
  await schedule.resume();
  await schedule.runNow();
  expect(await schedule.jobs()).toHaveLength(2);
  await queue.unschedule('x');
  stop();
  expect(await denials()).toBe(before);
});

it('a producer learns what its job waits for with exactly these rights', async () => {
  const queue = new Queue('jobs', await storeAs('p', documented('producer')));
  await queue.pause();
  const job = await queue.enqueue('ok');
  expect(await job.waitsFor()).toMatchObject([{ why: 'paused' }, { why: 'worker' }]);
});

it('a producer and a worker work with exactly these rights', async () => {
  const producer = await storeAs('p', documented('producer'));
  const working = await storeAs('w', documented('worker'));
  const before = await denials();
  expect(await producer.audit('producer')).toEqual([]);
  const worker = await engine.work(
    {
      ok: (_, job) => job.progress(1),
      boom: () => {
        throw new Error('boom');
      },
    },
    { store: working, lease: 1 },
  );
  const queue = new Queue('jobs', producer);
  const events: string[] = [];
  await new Promise<void>((resolve) => {
    queue.events({ onListening: resolve }).subscribe(({ type }) => events.push(type));
  });
  const job = await queue.enqueue('ok', 1, { ttl: 60 });
  await job.result({ timeout: 10 });
  await (await queue.enqueueIn('100ms', 'ok', 1, { ttl: 60 })).result({ timeout: 10 });
  const failing = await queue.enqueue('boom', 1, { retry: { max: 1, interval: 0.1 } });
  await worker.events.waitFor('jobFailed');
  await failing.requeue();
  await worker.events.waitFor('jobFailed', 2);
  await failing.results();
  await queue.jobs('failed');
  await queue.requeue({ in: 'failed' });
  await worker.events.waitFor('jobFailed', 3);
  await queue.counts();
  await queue.pause();
  const waiting = await queue.enqueue('ok', 1, { atFront: true });
  await waiting.position();
  await waiting.cancel();
  await waiting.delete();
  await queue.enqueue('ok');
  await queue.empty();
  await queue.resume();
  await producer.queues();
  await worker.stop();
  expect(events).toContain('finished');
  expect(worker.events.of('problem')).toEqual([]);
  // What the client of Redis itself tries at the start and at the end.
  const log = (await engine.client.call('ACL', 'LOG')) as string[][];
  const denied = new Set(log.map((entry) => entry[entry.indexOf('object') + 1]));
  for (const harmless of ['config|get', 'client|setinfo', 'quit']) {
    denied.delete(harmless);
  }
  expect([...denied]).toEqual([]);
  expect(await denials()).toBeGreaterThanOrEqual(before);
});

it('a watcher reads all with exactly these rights, and can write nothing but that it looks', async () => {
  const watching = await storeAs('v', documented('watcher'));
  const worker = await engine.work({
    ok: () => 1,
    lane: { run: () => 1, concurrency: { perKey: 1 } },
    boom: () => {
      throw new Error('boom');
    },
  });
  const queue = engine.queue();
  await queue.setLimits({ handler: 'lane', key: 'a', concurrency: { perKey: 0 } });
  const waiting = await queue.enqueue('lane', 1, { key: 'a' });
  await (await queue.enqueue('ok')).result({ timeout: 10 });
  await queue.enqueue('boom');
  await worker.events.waitFor('jobFailed');
  const seen = new Queue('jobs', watching);
  const events: string[] = [];
  await new Promise<void>((resolve) => {
    seen.events({ onListening: resolve }).subscribe(({ type }) => events.push(type));
  });
  // New connections ask for more, which nobody needs.
  const before = await denials();
  const inspector = new RqInspector(watching);
  expect((await inspector.overview({ live: true })).queues).toHaveLength(1);
  expect(await inspector.workers()).toHaveLength(1);
  expect((await inspector.failures()).groups).toHaveLength(1);
  await inspector.server();
  await inspector.history('jobs');
  expect(await (await inspector.job(waiting.id))?.position()).toBe(0);
  expect(await seen.jobs('failed')).toHaveLength(1);
  expect(await seen.lanes()).toHaveLength(1);
  expect(await seen.job(waiting.id).waitsFor()).toMatchObject([{ why: 'paused', key: 'a' }]);
  expect(await inspector.limits()).toMatchObject([{ from: 'declared' }, { from: 'set', max: 0 }]);
  expect((await watching.limits.mayStart('jobs')).mayStart).toBe(false);
  await (await queue.enqueue('ok')).result({ timeout: 10 });
  await eventually(() => events.includes('finished'), { what: 'the event' });
  expect(await denials()).toBe(before);

  const denied = /NOPERM|can't run this command|has no permissions/;
  await expect(seen.enqueue('ok')).rejects.toThrow(denied);
  await expect(seen.job(waiting.id).cancel()).rejects.toThrow(denied);
  await expect(seen.pause()).rejects.toThrow(denied);
  const { connections } = watching;
  const send = connections.run('x', (redis) => redis.publish('rq:nrq:commands:w', 'x'));
  await expect(send).rejects.toThrow('NOPERM');
  await queue.setLimits({ handler: 'lane', key: 'a' });
});

describe('a right that is missing', () => {
  const errorOf = async (role: Role, without: (right: string) => boolean, ...more: string[]) => {
    const rights = documented(role).filter((right) => !without(right));
    const store = await storeAs('less', [...rights, ...more]);
    return store.audit(role).then(
      () => undefined,
      (error: unknown) => error as UnusableRedisError,
    );
  };

  it.each([
    ['producer', 'rpush'],
    ['producer', 'eval'],
    ['producer', 'pubsub|numsub'],
    ['worker', 'blmove'],
    ['worker', 'client|unblock'],
  ] as const)('keeps a %s from starting, and is named: %s', async (role, right) => {
    const here = commandHere(right);
    const error = await errorOf(role, (one) => one === `+${here}`);
    expect(error).toBeInstanceOf(UnusableRedisError);
    expect(error?.message).toContain(`missing: ${here})`);
    expect(error?.mayPass).toBe(false);
  });

  it('is named by the pattern of its channels or keys', async () => {
    const ofAll = (name: string) => nameHere(name, '*');
    const events = `&${ofAll('rq:nrq:events:*')}`;
    const channels = await errorOf('producer', (one) => one.startsWith('&'), events);
    expect(channels?.message).toContain(`publish to channel ${ofAll('rq:nrq:wake:*')}`);
    expect(channels?.message).not.toContain(ofAll('rq:nrq:events'));
    const some = ['rq:job:*', 'rq:queue*'].map((name) => `~${ofAll(name)}`);
    const keys = await errorOf('producer', (one) => one.startsWith('~'), ...some);
    expect(keys?.message).toContain(`key ${ofAll('rq:scheduled:*')}`);
    expect(keys?.message).not.toContain(`key ${ofAll('rq:job')}`);
  });

  it('is not one of a worker alone to a producer', async () => {
    const store = await storeAs('less', documented('producer'));
    await expect(store.audit('worker')).rejects.toThrow(/missing: .*blmove/);
    expect(await store.audit('producer')).toEqual([]);
  });
});

describe('a right that is taken away later', () => {
  const take = (user: string, right: string) => engine.client.call('ACL', 'SETUSER', user, right);
  const NAMED = 'NOPERM its user lacks rights (missing: hset): allow them, as docs/redis.md shows';

  it('is named to a producer, in one line, with one look for many calls', async () => {
    const store = await storeAs('p', documented('producer'));
    await store.audit('producer');
    const queue = new Queue('jobs', store);
    await queue.enqueue('ok');
    await take('p', '-hset');
    await engine.client.config('RESETSTAT');
    const calls = Array.from({ length: 20 }, () => queue.enqueue('ok').catch((e: Error) => e));
    const messages = (await Promise.all(calls)).map((error) => (error as Error).message);
    expect(messages).toEqual(
      Array(20).fill(`Could not enqueue on queue "jobs": Redis answered with an error: ${NAMED}`),
    );
    const stats = await engine.client.info('commandstats');
    // Scripts are called by their digests, and this look by its text.
    expect(stats).toContain('cmdstat_eval:calls=1,');
  });

  it('is named by a worker, which goes on when it is given back', async () => {
    const store = await storeAs('w', documented('worker'));
    const worker = await engine.work({ ok: () => 'done' }, { store });
    await take('w', '-hset');
    const job = await engine.queue().enqueue('ok');
    const [problem] = await worker.events.waitFor('problem');
    expect(String(problem?.error)).toContain(NAMED);
    await take('w', '+hset');
    expect(await job.result({ timeout: 10 })).toBe('done');
  });

  it('is named once by a worker that may not wait at its queue, and serves it all the same', async () => {
    const store = await storeAs('w', documented('worker'));
    const worker = await engine.work({ ok: (data) => data }, { store });
    await take('w', '-blmove');
    for (let number = 0; number < 5; number += 1) {
      const job = await engine.queue().enqueue('ok', number);
      expect(await job.result({ timeout: 10 })).toBe(number);
    }
    const [problem] = await worker.events.waitFor('problem');
    expect(problem?.message).toBe(
      'an idle worker may not wait at queue "jobs", and asks it four times a second instead',
    );
    expect(String(problem?.error)).toContain(NAMED.replace('hset', 'blmove'));
    await take('w', '+blmove');
    const solved = await eventually(
      async () => {
        await (await engine.queue().enqueue('ok')).result({ timeout: 10 });
        return worker.events.of('problemSolved')[0];
      },
      { what: 'a read to bring a job' },
    );
    expect(solved.message).toBe('an idle worker waits at queue "jobs" again');
    expect(worker.events.of('problem')).toHaveLength(1);
  });

  it('is told in the words of Redis when it is back at the second look', async () => {
    const store = await storeAs('p', documented('producer'));
    await store.audit('producer');
    await take('p', `-${commandHere('publish')}`);
    await take('p', `+${commandHere('publish')}`);
    expect(await store.connections.rights.named("NOPERM this user can't publish")).toBe(
      "NOPERM this user can't publish",
    );
  });
});

itOnOneServer('a worker writes nothing to a Redis that it cannot work with', async () => {
  const replica = engine.redis.client();
  await engine.client.flushall();
  await replica.replicaof('127.0.0.1', 1);
  const started = engine.work({ ok: () => 1 });
  await expect(started).rejects.toThrow(/This Redis cannot be used for jobs\. it is a replica/);
  await replica.replicaof('NO', 'ONE');
  expect(await engine.client.keys('*')).toEqual([]);
});
