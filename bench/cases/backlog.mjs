// Does a long queue slow the worker down? It takes jobs from the head of a queue of 1 k, 100 k and 1 M jobs.

import { DeliveryLog } from '../harness/delivery-log.mjs';
import { pairedRatio } from '../harness/statistics.mjs';
import { warmStart } from '../harness/warm-start.mjs';

const QUEUE = 'backlog';
const CONCURRENCY = 100;
/** More jobs of the known kind than are timed: what the worker runs before it hears that it is enough. */
const SLACK = 4_000;

export default {
  name: 'backlog',
  title: 'Time per job with a backlog',
  rounds: 5,
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

  async run(side, { backlog, ...settings }) {
    const jobs = settings.jobs * side.pace;
    const filler = side.filler({ queue: QUEUE, keep: false });
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
    const own = jobs + SLACK;
    await warmStart(side, { queue: QUEUE, filler, consumer, log, jobs: own, warmUp });
    const ids = await filler.ids();
    await side.copyBehind(QUEUE, ids.at(-1), backlog);
    const total = own + backlog;
    await side.expectCensus(QUEUE, { waiting: total - warmUp });

    await filler.resume();
    const end = await log.reached(jobs);
    await consumer.stop();

    log.verify(ids, false);
    await side.expectCensus(QUEUE, { waiting: total - log.calls });
    return { microseconds: ((end - log.warmAt) * 1000) / (jobs - warmUp) };
  },

  verdicts({ perRound, variants }) {
    const [shortest, ...longer] = variants.map(({ key }) => perRound(key, 'microseconds'));
    const growth = longer.map((times) => pairedRatio(times, shortest));
    if (!growth.every((ratio) => ratio)) return [];
    const most = Math.max(...growth) - 1;
    return [
      {
        label: 'a longer backlog against the shortest, at most',
        value: `${most < 0 ? '−' : '+'}${Math.abs(most * 100).toFixed(1)} %`,
        goal: '≤ 10 %',
        met: most <= 0.1,
      },
    ];
  },
};
