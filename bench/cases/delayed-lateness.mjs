// How late a delayed job runs when neither Redis nor the worker has anything else to do. Redis looks at its own timeouts
// ten times a second by default, so whoever waits for one by a blocking command is late by up to 100 ms.

import { DeliveryLog, VoidRun } from '../harness/delivery-log.mjs';
import { atMost } from '../harness/goals.mjs';
import { jobData } from '../harness/filling.mjs';

const QUEUE = 'lateness';
/** On average; more often and the server would not be idle. */
const GAP = 130;
const WARM_UP = 20;

export default {
  name: 'delayed-lateness',
  title: 'Lateness of delayed jobs, idle Redis at its defaults',
  rounds: 5,
  quickRounds: 1,

  variants(quick) {
    const row = (q, goal) => ({
      measure: 'lateness',
      quantile: q,
      label: `late by, p${q * 100}`,
      unit: 'ms',
      goal,
    });
    return [
      {
        key: 'idle',
        settings: { jobs: quick ? 20 : 60 },
        rows: [row(0.5), row(0.99, atMost(5, 'ms'))],
      },
    ];
  },

  async run(side, { jobs }) {
    const total = WARM_UP + jobs;
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const log = new DeliveryLog(total);
    const due = new Float64Array(total);
    const lateness = new Float64Array(total);
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: 10,
      keep: false,
      handle(data, id) {
        lateness[data.n] = wallClock() - due[data.n];
        log.record(data.n, id);
        return data.n;
      },
    });
    await consumer.start();

    // One after the other: a delay begins when Redis gets the job, and none shall wait for others on the way.
    const ids = [];
    const add = async (delay) => {
      const n = ids.length;
      due[n] = wallClock() + delay;
      ids.push((await producer.addIn(jobData(n), delay)).id);
    };
    for (let n = 0; n < WARM_UP; n += 1) await add(100 + n * 5);
    await log.reached(WARM_UP);
    for (let n = 0; n < jobs; n += 1) await add(Math.round(200 + Math.random() * jobs * GAP));
    await log.reached(total);
    await side.settled(QUEUE);
    await consumer.stop();

    log.verify(ids);
    const measured = Array.from(lateness.slice(WARM_UP));
    // BullMQ's clock has whole milliseconds, rounded down.
    if (Math.min(...measured) < -1.5)
      throw new VoidRun(`a job ran ${-Math.min(...measured)} ms early`);
    await side.expectCensus(QUEUE, {});
    return { lateness: measured };
  },
};

/** Milliseconds since the epoch, with fraction. */
function wallClock() {
  return performance.timeOrigin + performance.now();
}
