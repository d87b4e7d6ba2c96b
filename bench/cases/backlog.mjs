// Does a long queue slow the worker down? It takes jobs from the head of a queue of 1 k, 100 k and 1 M jobs.

import { DeliveryLog } from '../harness/delivery-log.mjs';
import { fill } from '../harness/filling.mjs';

const QUEUE = 'backlog';
const CONCURRENCY = 100;
/** More jobs of the known kind than are timed: what the worker runs before it hears that it is enough. */
const SLACK = 4_000;

export default {
  name: 'backlog',
  title: 'Time per job with a backlog',
  rounds: 3,
  quickRounds: 1,

  variants(quick) {
    const jobs = quick ? 4_000 : 16_000;
    return (quick ? [1_000, 100_000] : [1_000, 100_000, 1_000_000]).map((backlog) => ({
      key: String(backlog),
      settings: { backlog, jobs },
      rows: [
        {
          measure: 'microseconds',
          label: `${backlog.toLocaleString('en')} jobs behind, concurrency ${CONCURRENCY}`,
          unit: 'µs',
        },
      ],
    }));
  },

  async run(side, { backlog, jobs }) {
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const ids = await fill(producer, jobs + SLACK);
    await side.copyBehind(QUEUE, ids.at(-1), backlog);
    const total = jobs + SLACK + backlog;
    await side.expectCensus(QUEUE, { waiting: total });

    const warmUp = Math.ceil(jobs / 10);
    const log = new DeliveryLog(jobs + SLACK, { warmUp });
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: CONCURRENCY,
      keep: false,
      handle(data, id) {
        log.record(data.n, id);
        return data.n;
      },
    });
    side.collectGarbage();
    await consumer.start();
    const end = await log.reached(jobs);
    await consumer.stop();

    log.verify(ids, false);
    await side.expectCensus(QUEUE, { waiting: total - log.calls });
    return { microseconds: ((end - log.warmAt) * 1000) / (jobs - warmUp) };
  },

  verdicts({ own, variants }) {
    const times = variants.map(({ key }) => own(key, 'microseconds')).filter((time) => time);
    if (times.length < 2) return [];
    const spread = Math.max(...times) / Math.min(...times) - 1;
    return [
      {
        label: 'slowest against fastest backlog',
        value: `+${(spread * 100).toFixed(1)} %`,
        goal: '≤ 10 %',
        met: spread <= 0.1,
      },
    ];
  },
};
