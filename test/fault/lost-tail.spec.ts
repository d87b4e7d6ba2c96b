// A failover that loses the last writes: the new primary has never heard of them. What was acknowledged in that time may be
// gone or go back; but nobody waits for ever, no outcome counts for an execution that the new primary does not know, and
// what is left of the past does not come back.
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  JobNotFoundError,
  NotReplicatedError,
  RqConnectionError,
  type RqJob,
} from '../../lib/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { follow } from '../support/sentinels.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';
import { TcpProxy } from './tcp-proxy.js';
import { userArguments } from './users.js';

let scene: Scene;
let other: RedisServer;
let address: TcpProxy;
let replication: TcpProxy;
let lost: RqJob;
let waiter: Promise<unknown>;
let durable: unknown;
/** Ids of jobs whose results somebody had who asks for replicas, by the end of the tail and later. */
const ends: string[] = [];
let endsInTail: string[];

const connection = { commandTimeout: 1000 };

beforeAll(async () => {
  scene = await Scene.open({ args: ['--repl-diskless-sync-delay', '0'] });
  other = await startRedis({ args: userArguments() });
  address = await TcpProxy.start(scene.redis);
  replication = await TcpProxy.start(scene.redis);
  await follow(other, replication);

  const settings = { url: address.url, connection, lease: 1, concurrency: 1 };
  const queue = scene.queue('work', { url: address.url, ...connection });
  const sure = scene.queue('work', {
    url: address.url,
    ...connection,
    durability: { replicas: 1, timeout: '200ms' },
  });
  const retry = { max: 3, interval: 0 };
  const durability = { replicas: 1, timeout: '200ms' };
  const first = await scene.worker('first', settings);
  const careful = await scene.worker('careful', {
    ...settings,
    queues: ['sure'],
    lease: 15,
    concurrency: 2,
    durability,
  });
  const confirmed = scene.queue('sure', { url: address.url, ...connection, durability });
  // It runs before the tail, and ends in it.
  await queue.enqueue('act', { waits: true }, { id: 'ends-in-tail', retry });
  await scene.when('run', { id: 'ends-in-tail' });
  // It is there before the tail, and begins in it.
  await eventually(
    () => sure.enqueue('act', { waits: true }, { id: 'begins-in-tail', retry }),
    // A replica that has just come may take longer than 200 ms to say what it has: such a call is repeated.
    { what: 'a job that the replica has' },
  );
  await eventually(() => other.client().zcard('rq:wip:work'), { what: 'the lease to be there' });
  const [told, kept] = await Promise.all(
    ['told-late', 'not-kept'].map((id) =>
      eventually(
        () =>
          confirmed.enqueue('act', { waits: true }, { id, resultTtl: id === 'not-kept' ? 0 : 60 }),
        { what: 'a job that the replica has' },
      ),
    ),
  );
  await eventually(async () => (await other.client().zcard('rq:wip:sure')) === 2, {
    what: 'both leases to be there',
  });
  for (const job of [told, kept] as RqJob[]) {
    void endOf(job).then((end) => ends.push(end instanceof Error ? String(end) : job.id));
  }
  await eventually(async () => (await scene.client.scard('rq:nrq:waiting:sure')) === 2, {
    what: 'both results to be waited for',
  });
  replication.fallSilent();
  careful.go();
  await eventually(async () => (await scene.client.zcard('rq:wip:sure')) === 0, {
    what: 'the primary to have both ends',
  });

  first.go('ends-in-tail');
  await scene.when('finished', { id: 'ends-in-tail' });
  await scene.when('run', { id: 'begins-in-tail' });
  lost = await queue.enqueue('act', {}, { id: 'lost' });
  durable = await sure
    .enqueue('act', {}, { id: 'durable', retry })
    .catch((error: unknown) => error);
  waiter = endOf(lost);

  endsInTail = [
    ...ends,
    ...scene.journal.of('finished', { worker: 'careful' }).map(({ id }) => String(id)),
  ];

  // Who has to ask again after the failover finds nothing of a job that is not kept, if it has ended once more by then: its
  // worker stands still until both callers wait at the new primary.
  careful.freeze();
  // The address leads to the new primary, and the old one is one no more.
  await other.client().replicaof('NO', 'ONE');
  await other.client().del('rq:nrq:waiting:sure');
  address.pointTo(other);
  await scene.client.replicaof(other.host, other.port);
  scene.client = other.client();
  await eventually(async () => (await scene.client.scard('rq:nrq:waiting:sure')) === 2, {
    what: 'both results to be waited for again',
    timeout: 20_000,
  });
  careful.thaw();
  await eventually(
    () =>
      sure
        .enqueue('act', {}, { id: 'after' })
        .catch(() => queue.enqueue('act', {}, { id: 'after' })),
    {
      what: 'a job to be enqueued',
    },
  );
  // Until then it runs.
  await scene.when('aborted', { id: 'begins-in-tail', timeout: 20_000 });
  first.go();
  const settledOnes = ['ends-in-tail', 'begins-in-tail', 'after'];
  await eventually(
    async () => {
      const statuses = settledOnes.map((id) => scene.client.hget(`rq:job:${id}`, 'status'));
      return (await Promise.all(statuses)).every((status) => status === 'finished');
    },
    { what: 'all jobs to be settled', timeout: 20_000 },
  );
  await scene.drained();
  // The worker hears of it a moment later than we see it.
  await scene.when('finished', { id: 'ends-in-tail', count: 2 });
  await scene.when('finished', { id: 'begins-in-tail' });
}, 90_000);

let isOver = false;

/** As a careful caller waits: a Redis that is away is no answer. */
async function endOf(job: RqJob): Promise<unknown> {
  for (;;) {
    const end: unknown = await job.result({ timeout: 20 }).catch((error: unknown) => error);
    if (isOver || !(end instanceof RqConnectionError)) return end;
    // What is refused at once would be asked again for ever, and nothing else would happen.
    await pause(10);
  }
}

afterAll(async () => {
  isOver = true;
  await scene.close();
  await address.close();
  await replication.close();
  await other.stop();
});

describe('a failover that has lost the last writes', () => {
  it('takes back no end of a worker that asks for replicas: it had told nobody, and settles it once more', async () => {
    expect(endsInTail).toEqual([]);
    await eventually(() => ends.length === 2, { what: 'both results' });
    expect(ends.toSorted()).toEqual(['not-kept', 'told-late']);
    for (const id of ['told-late', 'not-kept']) {
      await scene.when('finished', { id });
      expect(scene.journal.of('run', { id })).toHaveLength(1);
      expect(scene.journal.of('finished', { id })).toHaveLength(1);
    }
    expect(await scene.client.hget('rq:job:told-late', 'status')).toBe('finished');
    expect(await scene.client.exists('rq:job:not-kept')).toBe(0);
  });

  it('aborts what began in them, tells that it was lost, and runs it again', async () => {
    const of = { id: 'begins-in-tail' };
    expect(scene.journal.of('aborted', of)).toHaveLength(1);
    expect(scene.journal.of('lost', of)).toHaveLength(1);
    expect(scene.journal.of('run', of)).toHaveLength(2);
    expect(scene.journal.of('finished', of)).toHaveLength(1);
  });

  it('runs again what ended in them: its lease is there, and nobody renews it', async () => {
    const of = { id: 'ends-in-tail' };
    expect(scene.journal.of('run', of)).toHaveLength(2);
    expect(scene.journal.of('requeued', of)).toHaveLength(1);
    expect(scene.journal.of('finished', of)).toHaveLength(2);
    expect(await scene.client.hget('rq:job:ends-in-tail', 'status')).toBe('finished');
  });

  it('loses what was enqueued in them, and says so to who waits for the result', async () => {
    expect(await waiter).toBeInstanceOf(JobNotFoundError);
    expect(scene.journal.of('run', { id: 'lost' })).toEqual([]);
  });

  it('takes no job of a producer that asks for replicas: its call has been refused', () => {
    expect(durable).toBeInstanceOf(NotReplicatedError);
    expect(durable).toMatchObject({ jobIds: ['durable'], uncertain: true });
  });

  it('leaves everything in its place', async () => {
    const acknowledged = ['begins-in-tail', 'after'].map((id) => ({ id }));
    const all = await scene.audit(acknowledged, { rolledBack: true });
    expect(all).toEqual([]);
  });
});
