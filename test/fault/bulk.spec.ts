// Whoever does something to many jobs may die, or lose Redis's answers, in the middle of it: each job is then either as
// it was or as it should become, and the same call goes on. `BULK_JOBS=100000 npm run jest -- test/fault/bulk` is the long
// round.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Redis } from 'ioredis';
import { Connections, type ControlReport, Queue, RedisJobStore } from '../../lib/index.js';
import { type Child, startChild } from '../support/children.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';
import { TcpProxy } from './tcp-proxy.js';

/** In thousands. */
const COUNT = Number(process.env['BULK_JOBS'] ?? 3000);
const TIME_LIMIT = 30_000 + COUNT * 2;
jest.setTimeout(TIME_LIMIT);
/** Milliseconds: longer than a Redis that is well takes to answer. */
const COMMAND_TIMEOUT = 1000;
const LOST = { code: 'RQ_CONNECTION' };
let redis: RedisServer;
let client: Redis;
let connections: Connections;
let queue: Queue;
const children: Child[] = [];

beforeEach(async () => {
  redis = await startRedis();
  client = redis.client();
  connections = new Connections(redis.url);
  await connections.connect();
  queue = new Queue('jobs', new RedisJobStore(connections));
  for (let first = 0; first < COUNT; first += 1000) {
    await queue.enqueueMany(
      Array.from({ length: 1000 }, (_, index) => ({
        name: 'f',
        options: { id: `j${first + index}` },
      })),
    );
  }
});

afterEach(async () => {
  for (const child of children.splice(0)) await child.kill();
  await connections.close();
  await redis.stop();
});

/**
 * Where each job is: a job at rest is in exactly one place, and its status says which. All seen at one moment: what a
 * killed process has sent last may not have been carried out yet.
 */
async function audit(): Promise<Record<string, number>> {
  const look = client.multi().lrange('rq:queue:jobs', 0, -1);
  for (const place of REGISTRIES) look.zrange(`rq:${place}:jobs`, '0', '-1');
  for (let index = 0; index < COUNT; index++) look.hget(`rq:job:j${index}`, 'status');
  const replies = ((await look.exec()) ?? []).map(([, reply]) => reply);
  const found = new Map<string, string[]>();
  const note = (place: string, ids: readonly string[]) => {
    for (const id of ids) found.set(id, [...(found.get(id) ?? []), place]);
  };
  for (const place of ['queued', ...REGISTRIES]) note(place, replies.shift() as string[]);
  const counts: Record<string, number> = { gone: 0, wrong: 0 };
  for (const [index, status] of replies.entries()) {
    const places = found.get(`j${index}`) ?? [];
    const isRight = status === null ? places.length === 0 : String(places) === status;
    const where = isRight ? ((status as string | null) ?? 'gone') : 'wrong';
    counts[where] = (counts[where] ?? 0) + 1;
  }
  return counts;
}

const REGISTRIES = ['scheduled', 'deferred', 'finished', 'failed', 'canceled'];

describe.each([
  ['cancel', { in: 'queued' }, 'canceled'],
  ['cancel', 'ids', 'canceled'],
  ['delete', { in: 'queued' }, 'gone'],
  ['requeue', { in: 'canceled' }, 'queued'],
  ['promote', { in: 'scheduled' }, 'queued'],
] as const)('%s of %j', (action, chosen, becomes) => {
  const ids = Array.from({ length: COUNT }, (_, index) => `j${(index * 7) % COUNT}`);
  const selection = chosen === 'ids' ? ids : chosen;

  beforeEach(async () => {
    if (action === 'requeue') await queue.cancel({ in: 'queued' });
    if (action === 'promote') {
      await queue.delete({ in: 'queued' });
      for (let first = 0; first < COUNT; first += 1000) {
        await queue.enqueueMany(
          Array.from({ length: 1000 }, (_, index) => ({
            name: 'f',
            options: { id: `j${first + index}`, delay: 3600 },
          })),
        );
      }
    }
  });

  it('may be killed at any moment, and is gone on with', async () => {
    for (const share of [0.05, 0.2]) {
      const child = startChild(new URL('./bulk-caller.mjs', import.meta.url), {
        usesEngine: true,
        args: [action],
        env: { REDIS_URL: redis.url },
      });
      children.push(child);
      child.send({ selection });
      const before = (await audit())[becomes] ?? 0;
      // On a busy machine the first one may have done nearly all before it was killed.
      await eventually(async () => (await done()) >= before + (COUNT - before) * share, {
        what: 'some of it to be done',
        timeout: TIME_LIMIT,
        every: 1,
      });
      await child.kill();
      expect(await audit()).toMatchObject({ wrong: 0 });
    }
    const report: ControlReport = await queue[action](selection as never);
    expect(report.skipped).toMatchObject({ running: 0, duplicate: 0 });
    expect(await audit()).toMatchObject({ wrong: 0, [becomes]: COUNT });
  });

  /** How many jobs are as they should become, at a glance. */
  async function done(): Promise<number> {
    if (becomes === 'canceled') return client.zcard('rq:canceled:jobs');
    const queued = await client.llen('rq:queue:jobs');
    return becomes === 'gone' ? COUNT - queued : queued;
  }

  it('may be repeated when an answer was lost', async () => {
    const proxy = await TcpProxy.start(redis);
    const far = new Connections(proxy.url, { commandTimeout: COMMAND_TIMEOUT });
    await far.connect();
    const call = new Queue('jobs', new RedisJobStore(far));
    const first = call[action](selection as never).catch((error: unknown) => error);
    await eventually(async () => (await done()) > 0, { what: 'a call to arrive', every: 1 });
    proxy.loseAnswers();
    const failure = await first;
    // Unless it was quicker than the cut.
    const { code } = failure instanceof Error ? (failure as Error & { code?: string }) : LOST;
    expect(code).toBe(LOST.code);
    proxy.heal();
    expect(await audit()).toMatchObject({ wrong: 0 });
    await queue[action](selection as never);
    expect(await audit()).toMatchObject({ wrong: 0, [becomes]: COUNT });
    await far.close();
    await proxy.close();
  });
});
