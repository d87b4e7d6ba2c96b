// One queue, emptied by 1, 2 and 4 processes at concurrency 100 each. How much more they do together depends on the
// cores; less they must not do.

import { setTimeout as sleep } from 'node:timers/promises';
import { Child } from '../harness/children.mjs';
import { DeliveryLog, VoidRun } from '../harness/delivery-log.mjs';
import { fill } from '../harness/filling.mjs';
import { pairedRatio } from '../harness/statistics.mjs';

const QUEUE = 'processes';
const NO_PROGRESS_WITHIN = 20_000;
/** What a rate may vary by chance. */
const TOLERANCE = 0.05;

export default {
  name: 'worker-processes',
  title: 'Worker processes on one queue',
  rounds: 5,
  quickRounds: 1,

  variants(quick) {
    return [1, 2, 4].map((processes) => ({
      key: String(processes),
      settings: { processes, measured: quick ? 8_000 : 40_000 },
      rows: [
        {
          measure: 'rate',
          label: `${processes} ${processes === 1 ? 'process' : 'processes'}, total`,
          unit: 'jobs/s',
        },
      ],
    }));
  },

  async run(side, { processes, measured }) {
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const options = { queues: [QUEUE], concurrency: 100, keep: false, port: side.port };
    const workers = Array.from({ length: processes }, () =>
      Child.start('harness/worker-process.mjs', [side.name, JSON.stringify(options)]),
    );
    side.closeLater(() => Promise.all(workers.map((worker) => worker.end())));
    await Promise.all(workers.map((worker) => worker.ask({ request: 'prepare' })));

    // What a start costs (connections, threads, compiling) is over when the clock runs, in each process.
    const warmUp = (measured / 8) * processes;
    const jobs = warmUp + measured;
    const ids = await fill(producer, warmUp);
    await Promise.all(workers.map((worker) => worker.ask({ request: 'start' })));
    await untilAtMost(side, 0);
    await producer.pause();
    ids.push(...(await fill(producer, jobs - warmUp, { from: warmUp })));
    side.collectGarbage();
    await producer.resume();
    const begin = await untilAtMost(side, jobs - warmUp - 1);
    const end = await untilAtMost(side, 0);
    const answers = await Promise.all(workers.map((worker) => worker.ask({ request: 'stop' })));

    const log = new DeliveryLog(jobs);
    for (const { handled } of answers) {
      handled.numbers.forEach((n, index) => log.record(n, handled.ids[index]));
    }
    log.verify(ids);
    await side.expectCensus(QUEUE, {});
    return { rate: ((begin.left - end.left) / (end.time - begin.time)) * 1000 };
  },

  verdicts({ perRound }) {
    const one = perRound('1', 'rate');
    const ratios = ['2', '4'].map((key) => pairedRatio(perRound(key, 'rate'), one));
    if (!ratios.every((ratio) => ratio)) return [];
    const least = Math.min(...ratios);
    return [
      {
        label: 'total of 2 and 4 processes against 1, the lesser',
        value: `${least.toFixed(2)} ×`,
        goal: `≥ ${1 - TOLERANCE} ×`,
        met: least >= 1 - TOLERANCE,
      },
    ];
  },
};

/** Looks until at most `limit` jobs are left: which time, and how many were left then. */
async function untilAtMost(side, limit) {
  let last = Infinity;
  let movedAt = performance.now();
  for (;;) {
    const { waiting, running } = await side.census(QUEUE);
    const left = waiting + running;
    const time = performance.now();
    if (left <= limit) return { left, time };
    if (left < last) movedAt = time;
    last = left;
    if (time - movedAt > NO_PROGRESS_WITHIN) throw new VoidRun(`stalled: ${left} jobs are left`);
    await sleep(2);
  }
}
