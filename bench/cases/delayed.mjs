// Very many delayed jobs become due within one second. The clock runs from the first due time until Redis holds the last
// outcome, so one second is the least.

import { DeliveryLog, VoidRun } from '../harness/delivery-log.mjs';
import { atLeastTimes } from '../harness/goals.mjs';
import { jobData } from '../harness/filling.mjs';

const QUEUE = 'delayed';
const BULK = 1000;

export default {
  name: 'delayed',
  title: 'Delayed jobs that become due within one second',
  rounds: 3,
  quickRounds: 1,

  variants(quick) {
    const jobs = quick ? 30_000 : 100_000;
    return [
      {
        key: 'burst',
        settings: { jobs },
        rows: [
          {
            measure: 'rate',
            label: `${jobs / 1000} k jobs, concurrency 100, from due to all processed`,
            unit: 'jobs/s',
            goal: atLeastTimes(2),
          },
        ],
      },
    ];
  },

  async run(side, { jobs }) {
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const log = new DeliveryLog(jobs);
    let earliest = Infinity;
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: 100,
      keep: false,
      handle(data, id) {
        if (log.calls === 0) earliest = Date.now();
        log.record(data.n, id);
        return data.n;
      },
    });

    const foreseen = await timeToFill(side, jobs);
    const firstDue = Date.now() + 500 + foreseen;
    const ids = await fillDelayed(producer, jobs, firstDue);
    if (Date.now() > firstDue - 100) {
      throw new VoidRun('the first jobs were due before the last was enqueued');
    }
    side.collectGarbage();
    await consumer.start();
    await log.reached(jobs);
    await side.settled(QUEUE);
    const seconds = (Date.now() - firstDue) / 1000;
    await consumer.stop();

    log.verify(ids);
    if (earliest < firstDue - 1) throw new VoidRun(`a job ran ${firstDue - earliest} ms early`);
    await side.expectCensus(QUEUE, {});
    return { rate: jobs / seconds };
  },
};

/** Foreseen by a sample in another queue, with half as much again; the sample's jobs are due in an hour. */
async function timeToFill(side, jobs) {
  const producer = await side.producer({ queue: 'delayed-sample' });
  const sample = jobs / 10;
  const begin = performance.now();
  await fillDelayed(producer, sample, Date.now() + 3_600_000);
  return ((performance.now() - begin) / sample) * jobs * 1.5;
}

async function fillDelayed(producer, jobs, firstDue) {
  const ids = [];
  for (let first = 0; first < jobs; first += BULK) {
    const numbers = Array.from(
      { length: Math.min(BULK, jobs - first) },
      (_, index) => first + index,
    );
    const added = await producer.addManyAt(
      numbers.map((n) => jobData(n)),
      numbers.map((n) => firstDue + Math.floor((n / jobs) * 1000)),
    );
    for (const job of added) ids.push(job.id);
  }
  return ids;
}
