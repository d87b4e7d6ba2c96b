// @ts-check
/**
 * The thread of LeaseGuard (see lease-guard.ts): plain JavaScript, since a thread is started from a file. As long as
 * the main thread's counter moves it does nothing: it has no connection, and has not even loaded the client, which would
 * take a core for 150 ms at the start and 13 MB for good. When the counter stands still, it renews what the main
 * thread holds, until the latest deadline of the jobs that were running.
 */
import { workerData } from 'node:worker_threads';

const { options, registries, token, lease, state } = workerData;
const beats = new BigInt64Array(state, 0, 1);
const deadline = new Float64Array(state, 8, 1);

/** @type {import('ioredis').Redis | undefined} */
let redis;
let lastBeat = Atomics.load(beats, 0);

setInterval(
  () => {
    const beat = Atomics.load(beats, 0);
    if (beat !== lastBeat) {
      lastBeat = beat;
      redis?.disconnect();
      redis = undefined;
    } else if (Number(process.hrtime.bigint()) / 1e6 < (deadline[0] ?? 0)) {
      renew().catch(() => undefined);
    }
  },
  Math.min(lease / 3, 2 ** 31 - 1),
);

async function renew() {
  const { Redis } = await import('ioredis');
  // Nothing waits between the question and the answer: two renewals that overlap share one connection.
  redis ??= connect(Redis);
  const [seconds, microseconds] = await redis.time();
  const end = Number(seconds) + Number(microseconds) / 1_000_000 + lease / 1000;
  for (const registry of registries) {
    const members = await redis.zrange(registry, 0, -1);
    const ours = members.filter((member) => member.split(':')[1]?.startsWith(token));
    // XX: what was settled or taken over meanwhile stays out.
    const scored = ours.flatMap((member) => [end.toFixed(3), member]);
    if (ours.length > 0) await redis.call('ZADD', registry, 'XX', ...scored);
  }
}

/** @param {typeof import('ioredis').Redis} Redis */
function connect(Redis) {
  const client = new Redis({
    ...options,
    connectionName: `${options.connectionName ?? 'nestjs-rq'}:lease-guard`,
    maxRetriesPerRequest: 1,
  });
  client.on('error', () => undefined);
  return client;
}
