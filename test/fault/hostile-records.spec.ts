import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { JobFailedError } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

/** What anybody with access to Redis can put there; RQ's own format knows no protection against it. */
describe('records that nobody should have written', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  const call = (name: unknown, args: unknown = [{}], kwargs: unknown = {}) =>
    JSON.stringify([name, null, args, kwargs]);

  /** Ids in the queue that are no jobs, or not this queue's. */
  const elements: (string | Buffer)[] = [
    'no-such-job',
    '',
    ' ',
    ':',
    'a:b:c',
    '../../../etc/passwd',
    '{}',
    'rq:queue:work',
    'x'.repeat(1_000_000),
    randomBytes(64),
    Buffer.from([0, 255, 254, 10, 13]),
  ];

  /** Jobs that cannot run: how each of them must end, and what its hash holds. */
  const jobs: Record<string, Record<string, string | Buffer>> = {
    pickle: { data: Buffer.from('8005950f000000000000005d94288c0365787494') },
    'pickle-deflated': { data: deflateSync(Buffer.from([0x80, 5, 0x95, 1, 2, 3])) },
    empty: { data: '' },
    'no-json': { data: '{"act"' },
    'no-list': { data: '{"name":"act"}' },
    'too-short': { data: '["act"]' },
    'odd-name': { data: call(42) },
    'odd-arguments': { data: call('act', 'text', 'text') },
    unknown: { data: call('no_such_handler') },
    proto: { data: call('__proto__') },
    constructor: { data: call('constructor.constructor') },
    'damaged-deflate': { data: Buffer.from([0x78, 0x9c, 1, 2, 3, 4, 5]) },
    bomb: { data: deflateSync(Buffer.alloc(64 * 1024 * 1024)) },
    huge: { data: call('no_such_handler', ['x'.repeat(5_000_000)]) },
  };

  /** Jobs that can run, although fields around their data make no sense. */
  const oddFields = {
    status: 'queued',
    data: call('act'),
    created_at: 'yesterday',
    enqueued_at: '\\u0000',
    timeout: 'forever',
    result_ttl: 'NaN',
    failure_ttl: '1e999',
    retries_left: 'many',
    retry_intervals: '{"a":',
    number_of_retries: '-',
    nrq_given: 'zzz',
    nrq_attempts: 'none',
    nrq_crashes: '[]',
    nrq_retry: 'null',
    nrq_timeout: '-5',
    meta: '{"__proto__":{"polluted":true}}',
    worker_name: 'x\\r\\ny',
    origin: '../other',
  };

  it('do not stop the worker or its other jobs, and are put away with a reason', async () => {
    await Promise.all([scene.worker('first'), scene.worker('second')]);
    const load = new Load(scene.queue(), 4);
    const { client } = scene;
    await scene.when('finished', { count: 50 });

    for (const element of elements) {
      await client.rpush('rq:queue:work', element);
      await client.lpush('rq:queue:work', element);
    }
    const planted = new Set(elements.map((element) => element.toString()));
    for (const [id, fields] of Object.entries({ ...jobs, odd: oddFields })) {
      await client.hset(`rq:job:${id}`, fields);
      await client.rpush('rq:queue:work', id);
    }
    // Keys of another type, and hashes that are no jobs.
    await client.set('rq:job:text', 'text');
    await client.lpush('rq:job:list', 'a', 'b');
    await client.zadd('rq:job:zset', 1, 'a');
    await client.hset('rq:job:no-data', 'status', 'queued');
    for (const id of ['text', 'list', 'zset', 'no-data']) {
      planted.add(id);
      await client.rpush('rq:queue:work', id);
      await client.zadd('rq:scheduled:work', 1, id);
      await client.zadd('rq:wip:work', 1, `${id}:execution`);
      await client.rpush('rq:queue:work:intermediate', id);
    }
    // Leases and places that mean nothing.
    for (const [score, member] of [
      [1, 'garbage'],
      [2, 'a:b:c:d'],
      [3, ':'],
      [4, ''],
      [5, 'no-such-job:0123456789abcdef'],
    ] as const) {
      await client.zadd('rq:wip:work', score, member);
      await client.zadd('rq:scheduled:work', score, `${member}-due`);
      await client.zadd('rq:finished:work', score, `${member}-finished`);
      await client.zadd('rq:failed:work', score, `${member}-failed`);
    }
    await client.set('rq:queue:work:intermediate:first_seen:no-data', 'long ago');
    for (const message of ['due NaN', 'due -1', 'due 999999999999999', 'resumed', '{', '']) {
      await client.publish('rq:nrq:wake:work', message);
    }
    for (const worker of await client.smembers('rq:workers')) {
      const channel = worker.replace('rq:worker:', 'rq:pubsub:');
      for (const message of ['{', 'null', '[]', '{"command":"stop-job"}', '{"command":7}']) {
        await client.publish(channel, message);
      }
    }

    // Each job that cannot run has failed, with a reason.
    const queue = scene.queue();
    for (const id of Object.keys(jobs)) {
      const job = await queue.getJob(id);
      await expect(job?.result({ timeout: 20 })).rejects.toThrow(JobFailedError);
    }
    await expect((await queue.getJob('pickle-deflated'))?.result()).rejects.toThrow('pickle');
    await eventually(async () => (await client.hget('rq:job:odd', 'status')) === 'finished', {
      what: 'the job with odd fields to finish',
    });
    // And the others were not held up.
    await scene.when('finished', { count: scene.journal.of('finished').length + 50 });
    await load.stop();
    const isGone = async () =>
      (await client.zcard('rq:wip:work')) === 0 &&
      (await client.llen('rq:queue:work')) === 0 &&
      (await client.llen('rq:queue:work:intermediate')) === 0;
    await eventually(isGone, { what: 'nothing to wait or to run' });
    // An id without a hash may be one that Python is about to write.
    await client.zremrangebyscore('rq:scheduled:work', 0, 10);
    await scene.drained();

    expect(load.surprises).toEqual([]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    expect(await scene.audit(load.acknowledged, { planted })).toEqual([]);
  });

  it('of one id many times run its job once', async () => {
    const queue = scene.queue();
    await queue.pause();
    await queue.enqueue(
      'act',
      { takes: 20, fails: 1 },
      { id: 'twin', retry: { max: 1, interval: 0 } },
    );
    for (let copy = 0; copy < 20; copy++) await scene.client.rpush('rq:queue:work', 'twin');
    await Promise.all([
      scene.worker('first', { concurrency: 3, lease: 5 }),
      scene.worker('second', { concurrency: 3, lease: 5 }),
    ]);
    await queue.resume();

    await scene.when('finished', { id: 'twin' });
    await scene.drained();
    expect(scene.journal.of('run', { id: 'twin' }).map(({ attempt }) => attempt)).toEqual([1, 2]);
    expect(await scene.audit([{ id: 'twin', retries: 1 }])).toEqual([]);
  });

  it('in place of a whole queue hold up that queue alone, until they are gone', async () => {
    const { client } = scene;
    const worker = await scene.worker('worker', { queues: ['work', 'broken'] });
    const [work, broken] = [scene.queue('work'), scene.queue('broken')];
    const jobs = [];
    for (const options of [{ id: 'scheduled', delay: 2 }, { id: 'running' }]) {
      const data = { holds: options.id === 'running', fails: 1 };
      jobs.push(await broken.enqueue('act', data, { ...options, retry: { max: 3, interval: 0 } }));
    }
    await scene.when('run', { id: 'running' });
    await client.set('rq:queue:broken', 'a text');
    const [due, dueAt] = await client.zrange('rq:scheduled:broken', '0', '-1', 'WITHSCORES');
    expect(due).toBe('scheduled');
    worker.go('running');
    await scene.when('end', { id: 'running' });
    await expect(broken.enqueue('act', {})).rejects.toThrow('WRONGTYPE');

    const job = await work.enqueue('act', {}, { id: 'other' });
    await job.result({ timeout: 10 });
    await scene.when('problem');
    const isDue = async () => Number((await client.time())[0]) > Number(dueAt);
    await eventually(isDue, { what: 'the scheduled job to be due' });
    await client.del('rq:queue:broken');

    await Promise.all(jobs.map((one) => one.result({ timeout: 10 })));
    const acknowledged = [...jobs, job].map(({ id }) => ({ id, retries: 3 }));
    expect(await scene.audit(acknowledged, { queues: ['work', 'broken'] })).toEqual([]);
  });

  it('in place of the results of a job lead to no end that is only half written', async () => {
    const { client } = scene;
    // A job of Python's: its results go to a stream, where a text stands already.
    for (const id of ['good', 'bad']) {
      const data = call('act', [{ fails: id === 'bad' ? 99 : 0 }]);
      await client.hset(`rq:job:${id}`, { status: 'queued', data, success_callback_name: '' });
      await client.set(`rq:results:${id}`, 'a text');
      await client.rpush('rq:queue:work', id);
    }
    await scene.worker('worker');
    await scene.when('problem', { count: 2 });
    await client.del('rq:results:good', 'rq:results:bad');

    await scene.drained();
    expect(await scene.audit([{ id: 'good' }, { id: 'bad' }])).toEqual([]);
  });
});
