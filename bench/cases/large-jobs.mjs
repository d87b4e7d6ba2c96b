// Jobs of 10 KB: enqueued by 100 callers, then processed.

import { VoidRun } from '../harness/delivery-log.mjs';
import { atLeastTimes } from '../harness/goals.mjs';
import { byCallers } from '../harness/filling.mjs';
import { processRun } from '../harness/process-run.mjs';

const QUEUE = 'large';

export default {
  name: 'large-jobs',
  title: 'Jobs of 10 KB',

  variants(quick) {
    const jobs = quick ? 2_000 : 8_000;
    return [
      {
        key: 'enqueue',
        settings: { enqueueOnly: true, jobs },
        rows: [
          { measure: 'rate', label: 'enqueue, 100 callers', unit: 'jobs/s', goal: atLeastTimes(2) },
        ],
      },
      {
        key: 'process',
        settings: { jobs, concurrency: 100, keep: false, large: true },
        rows: [
          {
            measure: 'rate',
            label: 'process, concurrency 100, result deleted',
            unit: 'jobs/s',
            goal: atLeastTimes(2),
          },
        ],
      },
    ];
  },

  run: (side, settings) =>
    settings.enqueueOnly ? enqueueRun(side, settings) : processRun(side, settings),
};

async function enqueueRun(side, { jobs }) {
  const producer = await side.producer({ queue: QUEUE });
  const warmUp = await byCallers(producer, 200, 100, { large: true });
  side.collectGarbage();
  const begin = performance.now();
  const ids = await byCallers(producer, jobs, 100, { large: true });
  const seconds = (performance.now() - begin) / 1000;
  if (new Set([...ids, ...warmUp]).size !== jobs + 200) {
    throw new VoidRun('an id is missing or twice');
  }
  await side.expectCensus(QUEUE, { waiting: jobs + 200 });
  return { rate: jobs / seconds };
}
