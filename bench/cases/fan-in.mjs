// Jobs of which another waits for a thousand: a flow of BullMQ's, `dependsOn` here. The rate is that of jobs, between the
// first of them and the end of the last that waits.

import { DeliveryLog } from '../harness/delivery-log.mjs';
import { atLeastTimes } from '../harness/goals.mjs';
import { jobData } from '../harness/filling.mjs';

const QUEUE = 'fan-in';
/** How many jobs one waits for. */
const PARENTS = 1000;

export default {
  name: 'fan-in',
  title: 'Fan-in of 1000',

  variants(quick) {
    return [
      {
        key: 'kept',
        settings: { flows: quick ? 2 : 8 },
        rows: [
          {
            measure: 'rate',
            label: 'concurrency 100, result kept',
            unit: 'jobs/s',
            goal: atLeastTimes(3),
          },
        ],
      },
    ];
  },

  async run(side, settings) {
    const flows = settings.flows * side.pace;
    const jobs = flows * (PARENTS + 1);
    const warmUp = PARENTS + 1;
    const producer = await side.producer({ queue: QUEUE });
    const log = new DeliveryLog(jobs, { warmUp });
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: 100,
      keep: true,
      handle(data, id) {
        log.record(data.n, id);
        return data.n;
      },
    });
    const ids = [];
    const fill = async (count) => {
      for (let flow = 0; flow < count; flow += 1) {
        const list = Array.from({ length: PARENTS }, (_, n) => jobData(ids.length + n));
        ids.push(...(await producer.addFanIn(list, jobData(ids.length + PARENTS))));
      }
    };
    await producer.pause();
    await fill(1);
    await consumer.start();
    await producer.resume();
    await log.reached(warmUp);
    await side.settled(QUEUE);
    await producer.pause();
    await fill(flows - 1);
    side.collectGarbage();

    await producer.resume();
    await log.reached(jobs);
    const end = await side.settled(QUEUE);
    await consumer.stop();
    log.verify(ids);
    await side.expectCensus(QUEUE, { finished: jobs });
    return { rate: ((jobs - warmUp) / (end - log.warmAt)) * 1000 };
  },
};
