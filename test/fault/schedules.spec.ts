// Schedules of each second in several processes, while those are killed and frozen and Redis is restarted: each tick makes
// one job, none makes two. `SCHEDULES_LONG=1 npm run jest -- test/fault/schedules` is the long round: 20 processes, 50
// schedules, a minute.
import { jest } from '@jest/globals';
import { type Child, startChild } from '../support/children.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { eventually } from '../support/wait.js';

const LONG = process.env['SCHEDULES_LONG'] === '1';
const ROUND = LONG
  ? { processes: 20, schedules: 50, seconds: 60 }
  : { processes: 4, schedules: 10, seconds: 12 };

jest.setTimeout(LONG ? 240_000 : 120_000);

let redis: RedisServer;
const children: Child[] = [];

afterEach(async () => {
  await Promise.all(children.splice(0).map((child) => child.kill()));
  await redis.stop();
});

async function begin(): Promise<Child> {
  const child = startChild(new URL('./scheduling-process.mjs', import.meta.url), {
    usesEngine: true,
    env: { SCHEDULING: JSON.stringify({ url: redis.url, schedules: ROUND.schedules }) },
  });
  children.push(child);
  const what = 'the process to be ready';
  await child.waitFor((message) => message === 'ready', { what, timeout: 30_000 });
  return child;
}

/** Repeatable: a failure is looked for with the same faults. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) & 0x7fffffff) / 0x7fffffff;
}

it(`each tick makes one job: ${ROUND.processes} processes, ${ROUND.schedules} schedules, kills, stops, a restart of Redis`, async () => {
  // What Redis has acknowledged must be there after its restart.
  redis = await startRedis({ appendonly: true });
  const client = redis.client();
  const living = await Promise.all(Array.from({ length: ROUND.processes }, begin));
  const draw = random(7);
  const pick = () => Math.floor(draw() * living.length);
  const until = performance.now() + ROUND.seconds * 1000;
  let restarted = false;
  for (let step = 0; performance.now() < until; step += 1) {
    const index = pick();
    const child = living[index] as Child;
    if (step % 2 === 0) {
      await child.kill();
      living[index] = await begin();
    } else {
      process.kill(child.pid, 'SIGSTOP');
      const thawed = performance.now() + 300 + draw() * 1500;
      await eventually(() => performance.now() > thawed, { what: 'time to pass' });
      process.kill(child.pid, 'SIGCONT');
    }
    if (!restarted && performance.now() > until - ROUND.seconds * 500) {
      restarted = true;
      await redis.kill();
      await redis.restart();
    }
  }
  expect(restarted).toBe(true);
  // Whoever is left makes up for what was missed, and then nothing is fired any more.
  const now = Date.now();
  const isCaughtUp = async () => {
    const due = await client.zrange('rq:nrq:schedules:code', '0', '-1', 'WITHSCORES');
    return due.length === 2 * ROUND.schedules && due.every((one, at) => at % 2 === 0 || +one > now);
  };
  await eventually(isCaughtUp, { what: 'all schedules to be up to date', timeout: 20_000 });
  for (const child of living) child.send({ stop: true });
  await Promise.all(living.map((child) => child.exited));

  const ids = await client.lrange('rq:queue:ticks', '0', '-1');
  expect(new Set(ids).size).toBe(ids.length);
  for (let index = 0; index < ROUND.schedules; index += 1) {
    const prefix = `s${index}-`;
    const ticks = ids.filter((id) => id.startsWith(prefix)).map((id) => +id.slice(prefix.length));
    ticks.sort((one, other) => one - other);
    const [first = 0] = ticks;
    expect(ticks.length).toBeGreaterThanOrEqual(ROUND.seconds - 2);
    expect(ticks).toEqual(ticks.map((_, at) => first + at * 1000));
    const history = await client.zcard(`rq:cron_job:s${index}:jobs`);
    expect(history).toBe(Math.min(ticks.length, 1000));
  }
});
