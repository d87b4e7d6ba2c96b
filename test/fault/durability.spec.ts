// Jobs that replicas must have before `enqueue` resolves, with a replica that is there, that stands still, and that is
// cut off; and what the call says then, how often it asks the replicas, and what a repetition gives.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Connections,
  NotReplicatedError,
  type Queue,
  RedisJobStore,
  RqConnectionError,
} from '../../lib/index.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { follow } from '../support/sentinels.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';
import { TcpProxy } from './tcp-proxy.js';

let scene: Scene;
let replica: RedisServer;
let address: TcpProxy;
let queue: Queue;

beforeAll(async () => {
  scene = await Scene.open({ args: ['--repl-diskless-sync-delay', '0'] });
  replica = await startRedis();
  await follow(replica, scene.redis);
});

beforeEach(async () => {
  address = await TcpProxy.start(scene.redis);
  queue = scene.queue('work', { url: address.url, durability: { replicas: 1, timeout: '300ms' } });
});

afterEach(async () => {
  process.kill(replica.pid, 'SIGCONT');
  await address.close();
});

afterAll(async () => {
  await scene.close();
  await replica.stop();
});

const has = async (id: string) => (await replica.client().exists(`rq:job:${id}`)) === 1;

async function refusal(call: Promise<unknown>): Promise<NotReplicatedError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(NotReplicatedError);
  return error as NotReplicatedError;
}

describe('with durability, enqueue', () => {
  it('resolves when a replica has the job', async () => {
    // As long as a replica on a busy machine may take.
    const queue = scene.queue('work', { durability: { replicas: 1, timeout: '4s' } });
    for (let number = 0; number < 20; number += 1) {
      const { id } = await queue.enqueue('act', {});
      expect(await has(id)).toBe(true);
    }
  });

  it('is told before how many replicas there are', async () => {
    const connections = new Connections(scene.redis.url);
    const { figures } = new RedisJobStore(connections);
    expect((await figures.server()).replicas).toBe(1);
    await connections.close();
  });

  it('asks the replicas once for what is enqueued together', async () => {
    const queue = scene.queue('work', { durability: { replicas: 1, timeout: '4s' } });
    await queue.enqueue('act', {});
    await scene.client.config('RESETSTAT');
    await Promise.all(Array.from({ length: 200 }, () => queue.enqueue('act', {})));
    const calls = /cmdstat_wait:calls=(\d+)/.exec(await scene.client.info('commandstats'))?.[1];
    expect(Number(calls)).toBeGreaterThan(0);
    expect(Number(calls)).toBeLessThanOrEqual(8);
  });

  it('rejects when too few replicas have it in time, with the ids to repeat it', async () => {
    process.kill(replica.pid, 'SIGSTOP');
    const error = await refusal(queue.enqueue('act', {}, { id: 'late' }));
    expect(error).toMatchObject({
      code: 'RQ_NOT_REPLICATED',
      uncertain: true,
      jobIds: ['late'],
      replicas: 1,
      reached: 0,
    });
    expect(error.message).toBe(
      'Could not enqueue on queue "work": 0 of 1 replicas had it within 300ms (durability). It may have been ' +
        'carried out all the same: repeat it with the same id, enqueue(name, data, { id: error.jobIds[0] }).',
    );
    const many = [{ name: 'act', data: {}, options: { id: 'many' } } as const];
    expect((await refusal(queue.enqueueMany(many))).jobIds).toEqual(['many']);

    // A repetition writes nothing, and is refused for as long as the replica does not have what was written.
    await refusal(queue.enqueue('act', {}, { id: 'late' }));
    const stranger = scene.queue('work', { durability: { replicas: 1, timeout: '300ms' } });
    await refusal(stranger.enqueue('act', {}, { id: 'late' }));

    process.kill(replica.pid, 'SIGCONT');
    const again = await eventually(
      () => queue.enqueue('act', {}, { id: 'late' }).catch(() => false as const),
      { what: 'the replica to have it' },
    );
    expect(again.isNew).toBe(false);
    expect(await has('late')).toBe(true);
    expect(await scene.client.lpos('rq:queue:work', 'late', 'COUNT', 0)).toHaveLength(1);
  });

  it('does not hold up what asks for no replicas', async () => {
    process.kill(replica.pid, 'SIGSTOP');
    const waiting = refusal(queue.enqueue('act', {}));
    const plain = scene.queue('work', { url: address.url });
    await plain.enqueue('act', {});
    expect((await waiting).reached).toBe(0);
  });

  it('does not trust the answer of another link than the one that it wrote over', async () => {
    const queue = scene.queue('work', {
      url: address.url,
      durability: { replicas: 1, timeout: '4s' },
    });
    await queue.enqueue('act', {});
    process.kill(replica.pid, 'SIGSTOP');
    const call = queue.enqueue('act', {}, { id: 'cut' }).catch((error: unknown) => error);
    await eventually(() => scene.client.exists('rq:job:cut'), { what: 'the job to be stored' });
    const wait = await eventually(
      async () =>
        /id=(\d+) .*flags=b .*cmd=wait/.exec(String(await scene.client.client('LIST')))?.[1],
      { what: 'the replicas to be asked' },
    );
    await scene.client.call('CLIENT', 'KILL', 'ID', wait);
    process.kill(replica.pid, 'SIGCONT');
    const error = await call;
    expect(error).toBeInstanceOf(RqConnectionError);
    expect(error).toMatchObject({ uncertain: true, jobIds: ['cut'] });
  });
});

describe('with durability, the end of a job', () => {
  it('is told to nobody before a replica has it', async () => {
    const durability = { replicas: 1, timeout: '300ms' };
    const queue = scene.queue('told', { durability });
    const worker = await scene.worker('careful', { queues: ['told'], durability });
    const told: string[] = [];
    const seen: string[] = [];
    const listening = queue.events().subscribe(({ type, jobId }) => {
      seen.push(type);
      if (type === 'finished' && jobId === 'told') told.push('event');
    });
    // Workers hear with an answer of Redis that somebody listens.
    await eventually(
      async () => {
        await queue.enqueue('act', {}).catch(() => undefined);
        return seen.length > 0;
      },
      { what: 'the worker to tell of its jobs' },
    );
    const job = await eventually(
      () => queue.enqueue('act', { holds: true }, { id: 'told', group: 'careful' }),
      { what: 'a job that the replica has' },
    );
    process.kill(replica.pid, 'SIGSTOP');
    const ends = [
      job.result({ timeout: 20 }).then(() => told.push('result')),
      queue
        .group('careful')
        .wait({ timeout: 20 })
        .then(() => told.push('group')),
    ];
    worker.go('told');
    await eventually(
      async () => (await scene.client.hget('rq:job:told', 'status')) === 'finished',
      {
        what: 'the primary to have its end',
      },
    );
    // It is asked for, and refused.
    const impatient = await job.result({ timeout: 1 }).catch((error: unknown) => error);
    expect(impatient).toMatchObject({ code: 'RQ_RESULT_TIMEOUT' });
    expect(told).toEqual([]);
    expect(scene.journal.of('finished', { id: 'told' })).toEqual([]);

    process.kill(replica.pid, 'SIGCONT');
    await Promise.all(ends);
    await scene.when('finished', { id: 'told' });
    await eventually(() => told.length === 3, { what: 'the event' });
    expect(told.toSorted()).toEqual(['event', 'group', 'result']);
    listening.unsubscribe();
  });
});

it('the time for the replicas must be shorter than that for a command', () => {
  expect(() =>
    scene.queue('work', { commandTimeout: 1000, durability: { replicas: 1, timeout: 1 } }),
  ).toThrow(/durability.timeout must be shorter than commandTimeout, which is 1 s, got "1s"/);
  expect(() => scene.queue('work', { durability: { replicas: 0 } })).toThrow(
    /durability.replicas must be a whole number of at least 1/,
  );
});
