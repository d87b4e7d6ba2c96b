// An idle worker and now and then a job: how long from the call of enqueue to the handler. Open loop: jobs come 100 times
// a second whether or not the ones before have run.

import { setTimeout as sleep } from 'node:timers/promises';
import { DeliveryLog } from '../harness/delivery-log.mjs';
import { atMostTimes } from '../harness/goals.mjs';
import { jobData } from '../harness/filling.mjs';

const QUEUE = 'pickup';
const PER_SECOND = 100;

export default {
  name: 'idle-pickup',
  title: 'Idle pickup, 100 jobs a second',
  rounds: 5,
  quickRounds: 1,

  variants(quick) {
    const row = (q) => ({
      measure: 'latency',
      quantile: q,
      label: `enqueue to handler, p${q * 100}`,
      unit: 'ms',
      goal: atMostTimes(1),
    });
    return [
      { key: 'open-loop', settings: { jobs: quick ? 200 : 500 }, rows: [row(0.5), row(0.99)] },
    ];
  },

  async run(side, { jobs }) {
    const warmUp = PER_SECOND / 2;
    const total = jobs + warmUp;
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const log = new DeliveryLog(total);
    const called = new Float64Array(total);
    const latencies = new Float64Array(total);
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: 10,
      keep: false,
      handle(data, id) {
        latencies[data.n] = performance.now() - called[data.n];
        log.record(data.n, id);
        return data.n;
      },
    });
    await consumer.start();
    await sleep(200);

    const begin = performance.now();
    const additions = [];
    for (let n = 0; n < total; n += 1) {
      const wait = begin + (n * 1000) / PER_SECOND - performance.now();
      if (wait > 0) await sleep(wait);
      called[n] = performance.now();
      additions.push(producer.add(jobData(n)));
    }
    const ids = (await Promise.all(additions)).map(({ id }) => id);
    await log.reached(total);
    await side.settled(QUEUE);
    await consumer.stop();

    log.verify(ids);
    await side.expectCensus(QUEUE, {});
    return { latency: Array.from(latencies.slice(warmUp)) };
  },
};
