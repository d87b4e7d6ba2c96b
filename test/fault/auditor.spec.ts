import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Redis } from 'ioredis';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { type AcknowledgedJob, type AuditRequest, audit } from './auditor.js';
import type { Entry } from './journal.js';

describe('the auditor', () => {
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedis();
    client = server.client();
  });

  afterAll(async () => {
    await server.stop();
  });

  beforeEach(async () => {
    await client.flushall();
  });

  function judge(
    acknowledged: readonly AcknowledgedJob[],
    request: Partial<AuditRequest> = {},
  ): Promise<string[]> {
    return audit({ client, queues: ['work'], acknowledged, ...request });
  }

  const store = (id: string, fields: Record<string, string | number>, ttl?: number) =>
    client
      .multi()
      .hset(`rq:job:${id}`, { data: '[]', ...fields })
      .expire(`rq:job:${id}`, ttl ?? 100)
      .exec();
  const soon = () => Math.floor(Date.now() / 1000) + 100;
  let clock = 0;
  const entry = (event: Entry['event'], more: Partial<Entry> = {}): Entry => {
    clock += 10;
    return { at: clock, worker: 'one', event, id: 'a', ...more };
  };

  it('accepts jobs in order', async () => {
    await store('done', { status: 'finished' });
    await client.zadd('rq:finished:work', soon(), 'done');
    await store('gone-wrong', {
      status: 'failed',
      nrq_attempts: 1,
      'nrq_attempt:1': '{"outcome":"failed"}',
    });
    await client.zadd('rq:failed:work', soon(), 'gone-wrong');
    await store('waits', { status: 'queued' });
    await client.rpush('rq:queue:work', 'waits');
    await store('runs', { status: 'started' });
    await client.zadd('rq:wip:work', soon(), 'runs:execution');
    // Its time is over, and its entry has not been swept yet.
    await client.zadd('rq:finished:work', 1000, 'long-done');
    const ids = ['done', 'gone-wrong', 'waits', 'runs'];

    expect(
      await judge(
        ids.map((id) => ({ id })),
        { atRest: false },
      ),
    ).toEqual([]);
    expect(await judge(ids.map((id) => ({ id })))).toEqual([
      'I1 job "waits": never settled, it is queued',
      'I1 job "runs": never settled, it is started',
    ]);
  });

  it('misses a job that vanished, and one that vanished without having run', async () => {
    const journal = [entry('run', { id: 'ran' }), entry('end', { id: 'ran', how: 'returned' })];
    const jobs = [
      { id: 'lost' },
      { id: 'ran', vanishes: true },
      { id: 'never-ran', vanishes: true },
    ];
    expect(await judge(jobs, { journal })).toEqual([
      'I1 job "lost": acknowledged, and gone',
      'I1 job "never-ran": gone before it ran to its end',
    ]);
  });

  it('sees a job in two places, in a wrong one, in none, and a place without a job', async () => {
    await store('double', { status: 'finished' });
    await client.zadd('rq:finished:work', soon(), 'double');
    await client.rpush('rq:queue:work', 'double');
    await store('liar', { status: 'finished' });
    await client.zadd('rq:failed:work', soon(), 'liar');
    await client.hset('rq:job:forgotten', { data: '[]', status: 'finished' });
    await store('nowhere', { status: 'queued' });
    await client.rpush('rq:queue:work', 'ghost');
    await client.hset('rq:job:shell', { status: 'finished' });
    await store('stuck', { status: 'queued' });
    await client.rpush('rq:queue:work:intermediate', 'stuck');
    await client.xadd('rq:results:leak', '*', 'type', '1');

    expect((await judge([])).toSorted()).toEqual(
      [
        'I2 job "double": in queue of "work" and finished of "work" at once',
        'I2 job "double": its status is finished, but it is in queue',
        'I2 job "liar": its status is finished, but it is in failed',
        'I2 job "forgotten": finished, nowhere, and kept for ever',
        'I2 job "nowhere": queued, but nowhere',
        'I2 job "ghost": in queue of "work" without a hash',
        'I2 job "shell": a hash without data',
        'I2 job "stuck": left in the intermediate list',
        'I2 "rq:results:leak": results kept for ever',
      ].toSorted(),
    );
  });

  it('counts runs and settlements', async () => {
    await store('a', {
      status: 'finished',
      nrq_attempts: 1,
      'nrq_attempt:1': '{"outcome":"retrying"}',
    });
    await client.zadd('rq:finished:work', soon(), 'a');
    const first = [
      entry('run', { attempt: 1 }),
      entry('end', { attempt: 1, how: 'threw' }),
      entry('retrying', { attempt: 1, delay: 0 }),
    ];
    const second = [
      entry('run', { attempt: 2 }),
      entry('end', { attempt: 2, how: 'returned' }),
      entry('finished', { attempt: 2 }),
    ];
    const jobs = [{ id: 'a', retries: 1 }];
    expect(await judge(jobs, { journal: [...first, ...second] })).toEqual([]);

    const interrupted = [entry('run', { attempt: 1 }), entry('returned', { reason: 'shutdown' })];
    const journal = [...interrupted, ...first, ...second];
    expect(await judge(jobs, { journal })).toEqual([]);

    const third = [entry('run', { attempt: 2 }), entry('finished', { attempt: 2 })];
    expect(await judge(jobs, { journal: [...first, ...second, ...third] })).toEqual([
      'I3 job "a": ran 3 times, of which 2 are accounted for',
      'I3 job "a": attempt 2 settled 2 times',
    ]);
  });

  it('forgives what a failover has undone, and no more', async () => {
    const life = [
      entry('run', { attempt: 1 }),
      entry('retrying', { attempt: 1, delay: 0 }),
      entry('run', { attempt: 2 }),
      entry('failed', { attempt: 2 }),
    ];
    await store('a', {
      status: 'failed',
      nrq_attempts: 2,
      'nrq_attempt:1': '{"outcome":"retrying"}',
      'nrq_attempt:2': '{"outcome":"failed"}',
    });
    await client.zadd('rq:failed:work', soon(), 'a');
    const journal = [...life, ...life];
    const jobs = [{ id: 'a', retries: 1 }];
    expect(await judge(jobs, { journal, rolledBack: true })).toEqual([]);
    expect(await judge(jobs, { journal })).toHaveLength(3);
    const more = [...journal, entry('run', { attempt: 3 })];
    expect(await judge(jobs, { journal: more, rolledBack: true })).toEqual([
      'I3 job "a": ran 5 times, of which 2 are accounted for',
    ]);
    // Acknowledged, run twice, and lost.
    await client.flushall();
    expect(await judge(jobs, { journal, rolledBack: true })).toEqual([
      'I1 job "a": acknowledged, and gone',
    ]);
  });

  it('sees attempts that nobody can account for, too many retries, and an early one', async () => {
    await store('a', {
      status: 'failed',
      nrq_attempts: 3,
      'nrq_attempt:1': '{"outcome":"retrying"}',
      'nrq_attempt:3': '{"outcome":"retrying"}',
    });
    await client.zadd('rq:failed:work', soon(), 'a');
    const journal = [
      entry('run', { attempt: 1 }),
      entry('end', { attempt: 1, how: 'threw' }),
      entry('retrying', { attempt: 1, delay: 1000 }),
      entry('run', { attempt: 2 }),
    ];
    expect(await judge([{ id: 'a', retries: 1 }], { journal })).toEqual([
      'I4 job "a": 3 attempts, but 2 on record',
      'I4 job "a": 2 retries of at most 1',
      'I4 job "a": its retry came 980 ms early',
    ]);
  });
});
