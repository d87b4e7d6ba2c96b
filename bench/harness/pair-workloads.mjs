// What `bench/pair.mjs` compares: plain jobs, each workload in rounds of about 0.5 to 1.5 s: in shorter ones the collection of
// garbage before each counts for more than the jobs.

import { DeliveryLog } from './delivery-log.mjs';
import { byCallers, fill, jobData } from './filling.mjs';
import { setTimeout as sleep } from 'node:timers/promises';

const QUEUE = 'pair';
/** Milliseconds from the first delayed job that is stored until all are due. */
const LONGEST_FILL_MS = 2000;

/** name: (adapter, port) => { prepare(), measured(): jobs, close() } */
export const WORKLOADS = {
  'enqueue-1': enqueue((producer) => byCallers(producer, 2_000, 1), 2_000),
  'enqueue-100': enqueue((producer) => byCallers(producer, 10_000, 100), 10_000),
  'enqueue-bulk': enqueue((producer) => fill(producer, 10_000), 10_000),
  'kept-1': consume({ jobs: 12_000, concurrency: 1, keep: true }),
  'kept-10': consume({ jobs: 20_000, concurrency: 10, keep: true }),
  'kept-100': consume({ jobs: 30_000, concurrency: 100, keep: true }),
  'deleted-1': consume({ jobs: 12_000, concurrency: 1, keep: false }),
  'deleted-100': consume({ jobs: 30_000, concurrency: 100, keep: false }),
  'retries-100': consume({ jobs: 4_000, concurrency: 100, keep: false, failOnce: true }),
  'delayed-100': consume({ jobs: 20_000, concurrency: 100, keep: false, delayed: true }),
  'idle-pickup': idlePickup({ jobs: 500 }),
};

function enqueue(work, jobs) {
  return async (adapter, port) => {
    const producer = await adapter.openProducer({ port, queue: QUEUE });
    return {
      jobs,
      prepare: () => producer.add(jobData(0)),
      run: () => work(producer),
      close: () => producer.close(),
    };
  };
}

function consume({ jobs, concurrency, keep, failOnce = false, delayed = false }) {
  return async (adapter, port, redis) => {
    const held = delayed ? UNTIL_DUE : PAUSED;
    const producer = await adapter.openProducer({
      port,
      queue: QUEUE,
      keep,
      retries: failOnce ? 1 : 0,
    });
    const runsPerJob = failOnce ? 2 : 1;
    const warmUp = concurrency * 2;
    const log = new DeliveryLog(jobs + warmUp, { runsPerJob, warmUp: warmUp * runsPerJob });
    const consumer = await adapter.openConsumer({
      port,
      queues: [QUEUE],
      concurrency,
      keep,
      handle(data, id) {
        const runs = log.record(data.n, id);
        if (runs < runsPerJob) throw new Error('the first attempt fails');
        return data.n;
      },
    });
    return {
      jobs,
      async prepare() {
        await fill(producer, warmUp);
        await consumer.start();
        await log.reached(warmUp * runsPerJob);
        await held.hold(producer, jobs, warmUp);
      },
      async run() {
        await held.release(producer);
        await log.reached((warmUp + jobs) * runsPerJob);
        await settled(adapter, redis);
      },
      async close() {
        await consumer.stop();
        await producer.close();
      },
    };
  };
}

/** The worker sleeps when a job comes; the next one comes when it sleeps again. The rate says little: it is mostly waiting. */
function idlePickup({ jobs }) {
  return async (adapter, port) => {
    const producer = await adapter.openProducer({ port, queue: QUEUE, keep: false });
    const log = new DeliveryLog(jobs + 1, { warmUp: 1 });
    const consumer = await adapter.openConsumer({
      port,
      queues: [QUEUE],
      concurrency: 10,
      keep: false,
      handle: (data, id) => log.record(data.n, id),
    });
    const pickUp = async (n) => {
      await producer.add(jobData(n));
      await log.reached(n + 1);
      await sleep(2);
    };
    return {
      jobs,
      async prepare() {
        await consumer.start();
        await pickUp(0);
      },
      async run() {
        for (let n = 1; n <= jobs; n += 1) await pickUp(n);
      },
      async close() {
        await consumer.stop();
        await producer.close();
      },
    };
  };
}

/** They wait in a paused queue until the clock runs. */
const PAUSED = {
  async hold(producer, jobs, from) {
    await producer.pause();
    await fill(producer, jobs, { from });
  },
  release: (producer) => producer.resume(),
};

/** All become due at once, right after they have been stored; a waiting worker moves them to the queue and runs them. */
const UNTIL_DUE = {
  async hold(producer, jobs, from) {
    const due = Date.now() + LONGEST_FILL_MS;
    for (let first = from; first < from + jobs; first += 1000) {
      const list = Array.from({ length: 1000 }, (_, index) => jobData(first + index));
      await producer.addManyAt(
        list,
        list.map(() => due),
      );
    }
    await sleep(due - Date.now() - 5);
  },
  release() {},
};

async function settled(adapter, redis) {
  for (;;) {
    const { waiting, running, delayed } = await adapter.census(redis, QUEUE);
    if (waiting + running + delayed === 0) return;
    await sleep(1);
  }
}
