// What a job costs in Redis while it waits, and after it finished with its result kept. Measured as the growth from N to
// 2 N jobs, so that what a library keeps once per queue (BullMQ's stream of 10,000 events, for one) is not counted.

import { DeliveryLog } from '../harness/delivery-log.mjs';
import { atMostTimes } from '../harness/goals.mjs';
import { fill } from '../harness/filling.mjs';
import { info } from '../harness/redis-server.mjs';

const WAITING = 'memory-waiting';
const FINISHED = 'memory-finished';

export default {
  name: 'memory',
  title: 'Memory in Redis',
  rounds: 2,
  quickRounds: 1,

  variants(quick) {
    const row = (measure, label) => ({ measure, label, unit: 'bytes', goal: atMostTimes(0.8) });
    return [
      {
        key: 'bytes',
        settings: { jobs: quick ? 12_000 : 20_000 },
        rows: [row('waiting', 'per waiting job'), row('finished', 'per finished job, result kept')],
      },
    ];
  },

  async run(side, { jobs }) {
    return {
      waiting: await perWaitingJob(side, jobs),
      finished: await perFinishedJob(side, jobs),
    };
  },
};

async function perWaitingJob(side, jobs) {
  const producer = await side.producer({ queue: WAITING });
  await fill(producer, jobs);
  const before = await usedMemory(side.redis);
  await fill(producer, jobs, { from: jobs });
  const after = await usedMemory(side.redis);
  await side.expectCensus(WAITING, { waiting: jobs * 2 });
  return (after - before) / jobs;
}

async function perFinishedJob(side, jobs) {
  const producer = await side.producer({ queue: FINISHED });
  const log = new DeliveryLog(jobs * 2);
  const ids = [];
  const used = [];
  for (const from of [0, jobs]) {
    ids.push(...(await fill(producer, jobs, { from })));
    const consumer = await side.consumer({
      queues: [FINISHED],
      concurrency: 100,
      keep: true,
      handle(data, id) {
        log.record(data.n, id);
        return data.n;
      },
    });
    await consumer.start();
    await log.reached(from + jobs);
    await side.settled(FINISHED);
    await consumer.stop();
    used.push(await usedMemory(side.redis));
  }
  log.verify(ids);
  await side.expectCensus(FINISHED, { finished: jobs * 2 });
  return (used[1] - used[0]) / jobs;
}

async function usedMemory(redis) {
  return Number((await info(redis, 'memory')).used_memory);
}
