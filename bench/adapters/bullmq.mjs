// BullMQ as the cases see it: the same shape as `nestjs-rq.mjs`. Its own defaults throughout; a finished job's fate is
// set on the worker (cheaper for it than a field in every job), and nobody listens to events.

import { FlowProducer, Queue, Worker } from 'bullmq';

export const name = 'bullmq';
export const pace = 1;

/**
 * @param {{ port: number, queue: string, retries?: number, priorities?: boolean }} options
 * A job answers with an object that has `id`, as BullMQ's own `add` does.
 */
export async function openProducer({ port, queue, retries = 0, priorities }) {
  const target = new Queue(queue, {
    connection: connection(port),
    ...(retries > 0 && { defaultJobOptions: { attempts: retries + 1 } }),
  });
  await target.waitUntilReady();
  let flows;
  return {
    add: (data) => target.add('work', data),
    addIn: (data, milliseconds) => target.add('work', data, { delay: milliseconds }),
    addMany: (list) =>
      target.addBulk(
        list.map((data) =>
          priorities
            ? { name: 'work', data, opts: { priority: (data.n % 3) + 1 } }
            : { name: 'work', data },
        ),
      ),
    addManyAt: (list, dueTimes) =>
      target.addBulk(
        list.map((data, index) => ({
          name: 'work',
          data,
          opts: { delay: Math.max(1, Math.round(dueTimes[index] - Date.now())) },
        })),
      ),
    /** One job waits for many: their ids, its own last. */
    async addFanIn(list, last) {
      flows ??= new FlowProducer({ connection: connection(port) });
      const children = list.map((data) => ({ name: 'work', queueName: queue, data }));
      const flow = await flows.add({ name: 'work', queueName: queue, data: last, children });
      return [...flow.children.map(({ job }) => job.id), flow.job.id];
    },
    pause: () => target.pause(),
    resume: () => target.resume(),
    async close() {
      await flows?.close();
      await target.close();
    },
  };
}

/**
 * @param {{ port: number, queues: string[], concurrency: number, keep: boolean,
 *   limits?: { total?: number, rate?: { max: number, seconds: number } }, handle: (data: any, id: string) => unknown }} options
 */
export async function openConsumer({ port, queues, concurrency, keep, limits = {}, handle }) {
  const workers = queues.map(
    (queue) =>
      new Worker(queue, async (job) => handle(job.data, job.id), {
        connection: connection(port),
        concurrency,
        autorun: false,
        ...(!keep && { removeOnComplete: { count: 0 } }),
        ...(limits.rate && {
          limiter: { max: limits.rate.max, duration: limits.rate.seconds * 1000 },
        }),
      }),
  );
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  if (limits.total) {
    for (const queue of queues) {
      const target = new Queue(queue, { connection: connection(port) });
      await target.setGlobalConcurrency(limits.total);
      await target.close();
    }
  }
  return {
    async start() {
      for (const worker of workers) void worker.run();
    },
    stop: () => Promise.all(workers.map((worker) => worker.close())),
  };
}

/** How many jobs of the queue are where. */
export async function census(redis, queue) {
  const [waiting, paused, prioritized, running, delayed, finished, failed] = await readAll(
    redis
      .pipeline()
      .llen(`bull:${queue}:wait`)
      .llen(`bull:${queue}:paused`)
      .zcard(`bull:${queue}:prioritized`)
      .llen(`bull:${queue}:active`)
      .zcard(`bull:${queue}:delayed`)
      .zcard(`bull:${queue}:completed`)
      .zcard(`bull:${queue}:failed`),
  );
  return { waiting: waiting + paused + prioritized, running, delayed, finished, failed };
}

/** Lets `count` copies of a waiting job wait behind all others. Made by the server, since a million takes minutes else. */
export async function copyBehind(redis, queue, id, prefix, count) {
  await redis.eval(
    `for i = 1, tonumber(ARGV[3]) do
       local id = ARGV[2] .. i
       redis.call('COPY', KEYS[2] .. ARGV[1], KEYS[2] .. id)
       redis.call('LPUSH', KEYS[1], id)
     end`,
    2,
    `bull:${queue}:wait`,
    `bull:${queue}:`,
    id,
    prefix,
    count,
  );
}

async function readAll(pipeline) {
  const replies = await pipeline.exec();
  return replies.map(([error, value]) => {
    if (error) throw error;
    return value;
  });
}

function connection(port) {
  return { host: '127.0.0.1', port, maxRetriesPerRequest: null };
}
