// nestjs-rq as the cases see it: its public engine without Nest, at its defaults; the same shape as `bullmq.mjs`.
// Kept results live 500 seconds, RQ's default, which no run outlasts.

import { Connections, HandlerRegistry, Queue, RedisJobStore, Worker } from '../../dist/index.js';

export const name = 'nestjs-rq';
/** So many times as many jobs, for runs that last about as long. */
export const pace = 3;

/**
 * @param {{ port: number, queue: string, keep?: boolean, retries?: number, priorities?: boolean }} options
 * `keep: false`: a finished job is deleted at once; `priorities`: three of them, in turn. A job answers with its handle, which has `id`.
 */
export async function openProducer({ port, queue, keep = true, retries = 0, priorities }) {
  const connections = await connect(port);
  const target = new Queue(queue, new RedisJobStore(connections), {
    defaultJobOptions: {
      ...(!keep && { resultTtl: 0 }),
      ...(retries > 0 && { retry: { max: retries, interval: 0 } }),
    },
  });
  return {
    add: (data) => target.enqueue('work', data),
    addIn: (data, milliseconds) => target.enqueueIn(milliseconds / 1000, 'work', data),
    addMany: (list) =>
      target.enqueueMany(
        list.map((data) =>
          priorities
            ? { name: 'work', data, options: { priority: PRIORITIES[data.n % 3] } }
            : { name: 'work', data },
        ),
      ),
    addManyAt: (list, dueTimes) =>
      target.enqueueMany(
        list.map((data, index) => ({
          name: 'work',
          data,
          options: { at: new Date(dueTimes[index]) },
        })),
      ),
    /** One job waits for many: their ids, its own last. */
    async addFanIn(list, last) {
      const jobs = await target.enqueueMany(list.map((data) => ({ name: 'work', data })));
      const fanIn = await target.enqueue('work', last, { dependsOn: jobs });
      return [...jobs, fanIn].map(({ id }) => id);
    },
    pause: () => target.pause(),
    resume: () => target.resume(),
    close: () => connections.close(),
  };
}

const PRIORITIES = ['high', 'normal', 'low'];

/**
 * @param {{ port: number, queues: string[], concurrency: number,
 *   limits?: { total?: number, rate?: { max: number, seconds: number } }, handle: (data: any, id: string) => unknown }} options
 */
export async function openConsumer({ port, queues, concurrency, limits, handle }) {
  const connections = await connect(port);
  const handlers = new HandlerRegistry();
  for (const queue of queues) {
    handlers.register({
      queue,
      name: 'work',
      owner: 'Benchmark.work',
      run: async (data, job) => handle(data, job.id),
    });
    if (limits) handlers.limitQueue(queue, limitsOf(limits));
  }
  const worker = new Worker(new RedisJobStore(connections), handlers, { queues, concurrency });
  return {
    start: () => worker.start(),
    async stop() {
      await worker.stop();
      await connections.close();
    },
  };
}

function limitsOf({ total, rate }) {
  return {
    ...(total && { concurrency: { total } }),
    ...(rate && { rateLimit: { max: rate.max, per: rate.seconds } }),
  };
}

/** How many jobs of the queue are where. */
export async function census(redis, queue) {
  const replies = await redis
    .pipeline()
    .llen(`rq:queue:${queue}`)
    .llen(`rq:queue:${queue}:intermediate`)
    .llen(`rq:queue:${queue}!high`)
    .llen(`rq:queue:${queue}!low`)
    .zcard(`rq:wip:${queue}`)
    .zcard(`rq:scheduled:${queue}`)
    .zcard(`rq:finished:${queue}`)
    .zcard(`rq:failed:${queue}`)
    .exec();
  const [waiting, moved, high, low, running, delayed, finished, failed] = replies.map(
    ([error, value]) => {
      if (error) throw error;
      return value;
    },
  );
  return { waiting: waiting + moved + high + low, running, delayed, finished, failed };
}

/** Lets `count` copies of a waiting job wait behind all others. Made by the server, since a million takes minutes else. */
export async function copyBehind(redis, queue, id, prefix, count) {
  await redis.eval(
    `for i = 1, tonumber(ARGV[3]) do
       local id = ARGV[2] .. i
       redis.call('COPY', KEYS[2] .. ARGV[1], KEYS[2] .. id)
       redis.call('RPUSH', KEYS[1], id)
     end`,
    2,
    `rq:queue:${queue}`,
    'rq:job:',
    id,
    prefix,
    count,
  );
}

async function connect(port) {
  const connections = new Connections(
    { host: '127.0.0.1', port },
    { commandTimeout: 60_000, connectTimeout: 10_000 },
  );
  await connections.connect();
  return connections;
}
