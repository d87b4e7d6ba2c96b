// What every store must do, whatever it is built on: producers, watchers and workers rely on it. Each store passes the
// same tests; a new one is added to the list below.
import { randomUUID } from 'node:crypto';
import type { JobEvent, Outcome } from '../../lib/job/index.js';
import { resolveDefaults, resolveJobOptions } from '../../lib/job/index.js';
import { Connections } from '../../lib/redis/index.js';
import {
  type ExchangeReply,
  type ExchangeRequest,
  type NewJob,
  type RegistryName,
  RedisJobStore,
  type WorkerStore,
} from '../../lib/store/index.js';
import { ControlledStore } from '../../lib/testing/controlled-store.js';
import { EmbeddedRedis } from '../../lib/testing/embedded-redis.js';
import { HeldResults } from '../../lib/testing/held-results.js';
import { RunControl } from '../../lib/testing/run-control.js';
import type { ClaimedJob } from '../../lib/wire/index.js';
import { startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';

/** Opens an empty store; `close` ends it and what it stands on. */
type Open = () => Promise<{ store: WorkerStore; close: () => Promise<void> }>;

const openRedis: Open = async () => {
  const redis = await startRedis();
  const connections = new Connections(redis.url);
  await connections.connect();
  const close = async () => {
    await connections.close();
    await redis.stop();
  };
  return { store: new RedisJobStore(connections), close };
};

const openEmbedded: Open = async () => {
  const redis = new EmbeddedRedis();
  const connections = new Connections(await redis.open());
  await connections.connect();
  const control = new RunControl();
  // The kit lets its worker claim only while somebody drains.
  control.open();
  const held = new HeldResults('manual', control);
  const close = async () => {
    await connections.close();
    await redis.close();
  };
  const store = new ControlledStore(connections, {}, control, async () => undefined, held);
  return { store, close };
};

const FAILURE = { name: 'Error', message: 'broken', stack: 'Error: broken' };
const FINISHED: Outcome = { type: 'finished', result: '42' };

describe.each<[string, Open]>([
  ['the Redis store', openRedis],
  ["the testing kit's store", openEmbedded],
])('%s', (_, open) => {
  let store: WorkerStore;
  let close: () => Promise<void>;
  /** Each test has a queue of its own. */
  let queue: string;
  let nextExecution = 0;
  let nextCall = 0;

  beforeAll(async () => ({ store, close } = await open()));
  afterAll(() => close());
  beforeEach(() => {
    queue = `q-${randomUUID()}`;
  });

  const newJob = (id: string, parts: Partial<NewJob> = {}): NewJob => ({
    queue,
    id,
    check: 'new',
    data: '["job",null,[1],{}]',
    options: resolveJobOptions(undefined, resolveDefaults(undefined)),
    meta: undefined,
    ...parts,
  });
  /** Ids are the same in no two tests. */
  const id = (name: string) => `${name}-${queue}`;
  const enqueue = (...names: string[]) =>
    store.enqueue(
      names.map((name) => newJob(id(name))),
      'all',
    );

  function exchange(parts: Partial<ExchangeRequest> = {}): Promise<ExchangeReply> {
    const request = {
      leaseMs: 60_000,
      worker: 'w',
      token: `token-${queue}`,
      nextExecution,
      want: 0,
      suspects: { from: 2, takes: true, delay: 10 },
      woken: [],
      outcomes: [],
      call: { slot: 0, number: (nextCall += 1), isRepeated: false, renewsNotes: true },
      events: [],
      ...parts,
    };
    nextExecution += request.want;
    return store.exchange(queue, request);
  }

  async function claim(want = 1, parts: Partial<ExchangeRequest> = {}): Promise<ClaimedJob[]> {
    return [...(await exchange({ want, ...parts })).claimed];
  }

  async function claimOne(): Promise<ClaimedJob> {
    const [job] = await claim();
    if (!job) throw new Error('There was no job to claim.');
    return job;
  }

  const ids = async (registry: RegistryName) =>
    (await store.list(queue, registry, { offset: 0, limit: 10 })).map((row) => row.id);

  const settle = (job: ClaimedJob, outcome: Outcome) =>
    exchange({ outcomes: [{ job, outcome, startedAt: Date.now(), endedAt: Date.now() }] });

  describe('for producers', () => {
    it('keeps jobs in the order in which they were stored', async () => {
      await expect(enqueue('a', 'b', 'c')).resolves.toEqual([]);
      expect(await ids('queued')).toEqual([id('a'), id('b'), id('c')]);
      expect(await store.position(queue, id('b'))).toBe(1);
      expect((await store.read(id('a')))?.status).toBe('queued');
      expect(await store.read(id('nobody'))).toBeUndefined();
    });

    it('says which jobs exist already, and stores the others', async () => {
      await enqueue('a');
      const jobs = [newJob(id('a'), { check: 'unique' }), newJob(id('b'), { check: 'unique' })];
      expect(await store.enqueue(jobs, 'each')).toMatchObject([{ index: 0 }]);
      expect(await ids('queued')).toEqual([id('a'), id('b')]);
    });

    it('cancels, requeues and deletes', async () => {
      await enqueue('a');
      const control = (type: 'cancel' | 'delete') =>
        store.control(queue, id('a'), { type, dependents: 'end' });
      expect((await control('cancel')).answer).toBe('done');
      expect((await store.read(id('a')))?.status).toBe('canceled');
      await store.control(queue, id('a'), { type: 'requeue', front: true });
      expect(await ids('queued')).toEqual([id('a')]);
      await control('delete');
      expect(await store.read(id('a'))).toBeUndefined();
      expect((await control('cancel')).answer).toBe('missing');
    });

    it('promotes what waits for its time', async () => {
      const later = resolveJobOptions({ delay: 3600 }, resolveDefaults(undefined));
      await store.enqueue([newJob(id('a'), { options: later })], 'all');
      const promote = () => store.control(queue, id('a'), { type: 'promote' });
      expect((await promote()).answer).toBe('done');
      expect(await ids('queued')).toEqual([id('a')]);
      expect((await promote()).answer).toBe('already');
    });

    it('does the same to many, by their ids or by where they stand', async () => {
      await enqueue('a', 'b', 'c', 'd', 'e');
      const some = [id('e'), id('b'), id('nobody')];
      const canceled = await store.controlMany(queue, some, { type: 'cancel', dependents: 'end' });
      expect(canceled).toMatchObject({ done: 2, missing: 1, looked: 3 });
      expect(await ids('queued')).toEqual([id('a'), id('c'), id('d')]);
      const first = { in: 'queued', name: 'job', limit: 2 } as const;
      expect(
        await store.controlMany(queue, first, { type: 'delete', dependents: 'end' }),
      ).toMatchObject({ done: 2 });
      expect(await ids('queued')).toEqual([id('d')]);
      const requeue = { type: 'requeue', front: true, retries: 3 } as const;
      const before = { in: 'canceled', before: 0 } as const;
      expect(await store.controlMany(queue, before, requeue)).toMatchObject({ done: 0, looked: 2 });
      const all = { in: 'canceled' } as const;
      expect(await store.controlMany(queue, all, requeue)).toMatchObject({ done: 2 });
      expect((await ids('queued')).at(-1)).toBe(id('d'));
      expect((await store.read(id('b')))?.retriesLeft).toBe(3);
      const sparse = [id('b'), id('d')];
      expect(
        await store.controlMany(queue, sparse, { type: 'cancel', dependents: 'end' }),
      ).toMatchObject({ done: 2 });
      expect(await ids('queued')).toEqual([id('e')]);
    });

    it('tells of settlements that are watched', async () => {
      await enqueue('a');
      const heard: string[] = [];
      const stop = await store.onSettled(queue, (settled) => heard.push(settled.id));
      await store.watch(queue, id('a'));
      await settle(await claimOne(), FINISHED);
      await eventually(() => heard.length > 0, { what: 'the settlement to be told' });
      expect(heard).toEqual([id('a')]);
      stop();
    });

    it('tells events that travel with an exchange', async () => {
      const heard: JobEvent[] = [];
      const stop = await store.onEvent(queue, (event) => heard.push(event));
      await enqueue('a');
      const { listened } = await exchange();
      expect(listened).toBe(true);
      const started = { type: 'started', queue, name: 'job', jobId: id('a'), attempt: 1 } as const;
      const event = { ...started, at: new Date() };
      await exchange({ events: [{ event, outcome: undefined }] });
      await eventually(() => heard.length > 0, { what: 'the event to be heard' });
      expect(heard).toMatchObject([started]);
      stop();
    });

    it('empties a queue', async () => {
      await enqueue('a', 'b');
      expect(await store.empty(queue)).toBe(2);
      expect(await store.read(id('a'))).toBeUndefined();
    });
  });

  describe('for watchers', () => {
    it('counts jobs where they are, and lists queues', async () => {
      await enqueue('a', 'b', 'c', 'd');
      await settle(await claimOne(), FINISHED);
      await settle(await claimOne(), { type: 'failed', failure: FAILURE });
      await claimOne();
      expect(await store.counts(queue)).toEqual({
        queued: 1,
        started: 1,
        scheduled: 0,
        deferred: 0,
        finished: 1,
        failed: 1,
        canceled: 0,
      });
      expect(await ids('failed')).toEqual([id('b')]);
      expect(await ids('started')).toEqual([id('c')]);
      expect(await store.queues()).toContain(queue);
    });

    it('knows whether a queue is paused', async () => {
      expect(await store.isPaused(queue)).toBe(false);
      await store.pause(queue);
      expect(await store.isPaused(queue)).toBe(true);
      await store.resume(queue);
      expect(await store.isPaused(queue)).toBe(false);
    });
  });

  describe('for workers', () => {
    it('hands out each job once, the oldest first', async () => {
      await enqueue('a', 'b', 'c');
      const ids = (jobs: ClaimedJob[]) => jobs.map((job) => job.id);
      expect(ids(await claim(2))).toEqual([id('a'), id('b')]);
      expect(ids(await claim(2))).toEqual([id('c')]);
      expect(ids(await claim(2))).toEqual([]);
    });

    it('hands out nothing of a paused queue, and says so', async () => {
      await enqueue('a');
      await store.pause(queue);
      expect(await exchange({ want: 1 })).toMatchObject({ claimed: [], paused: true });
      await store.resume(queue);
      expect(await claim()).toHaveLength(1);
    });

    it.each<[Outcome, string]>([
      [FINISHED, 'finished'],
      [{ type: 'failed', failure: FAILURE }, 'failed'],
      [{ type: 'canceled', reason: 'no need' }, 'canceled'],
      [{ type: 'snoozed', delay: 60_000 }, 'scheduled'],
      [{ type: 'released' }, 'queued'],
    ])('writes down an outcome once: %j', async (outcome, status) => {
      await enqueue('a');
      const job = await claimOne();
      expect((await settle(job, outcome)).refused).toEqual([]);
      expect((await store.read(id('a')))?.status).toBe(status);
      expect((await settle(job, FINISHED)).refused).toEqual([{ index: 0, status }]);
    });

    it('finds the leases of a token, renews them, and says which are gone', async () => {
      await enqueue('a', 'b');
      const [a, b] = await claim(2);
      if (!a || !b) throw new Error('There were not two jobs to claim.');
      expect((await store.leasesOf(queue, `token-${queue}`)).map((lease) => lease.id)).toEqual([
        id('a'),
        id('b'),
      ]);
      expect(await store.leasesOf(queue, 'somebody')).toEqual([]);
      await settle(a, FINISHED);
      expect(await store.renew(queue, 60_000, [a, b])).toEqual([{ index: 0, status: 'finished' }]);
    });

    it('gives a job whose lease has ended to the next worker, and refuses the old one', async () => {
      await enqueue('a');
      const [lost] = await claim(1, { leaseMs: 1 });
      if (!lost) throw new Error('There was no job to claim.');
      await eventually(
        async () => (await store.recover(queue, { maxCrashes: 3, leaseMs: 1000 })).handled.length,
        { what: 'the lease to end' },
      );
      const again = await claimOne();
      expect(again.id).toBe(id('a'));
      expect((await settle(lost, FINISHED)).refused).toEqual([{ index: 0, status: 'started' }]);
      expect((await settle(again, FINISHED)).refused).toEqual([]);
    });

    it('wakes whoever waits when the queue is resumed', async () => {
      const heard: (number | undefined)[] = [];
      const stop = await store.onWake(queue, (due) => heard.push(due));
      await store.resume(queue);
      await eventually(() => heard.length > 0, { what: 'the queue to be told as resumed' });
      expect(heard).toEqual([undefined]);
      stop();
    });

    it('writes down what a handler tells only for the one that holds the lease', async () => {
      await enqueue('a');
      const job = await claimOne();
      const about = { queue, name: 'job', jobId: id('a'), attempt: 1, at: new Date() };
      const event: JobEvent = { type: 'progress', ...about, progress: 5 };
      const told = (line: string) => ({
        progress: { json: '5', event },
        lines: [line],
        data: '["job",null,[5],{}]',
        isAlive: true,
      });
      expect(await store.tell(queue, job, told('before'))).toBe(true);
      await settle(job, FINISHED);
      expect(await store.tell(queue, job, told('after'))).toBe(false);
      expect(await store.logs(id('a'), { offset: 0, limit: 10 })).toEqual(['before']);
      expect((await store.read(id('a')))?.call(100).args).toEqual([5]);
    });
  });
});
