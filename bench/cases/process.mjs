// How fast a worker empties a queue when the handler does nothing: what the library itself costs.

import { atLeastTimes } from '../harness/goals.mjs';
import { processRun } from '../harness/process-run.mjs';

const SIZES = [
  { concurrency: 1, jobs: 4_000, factor: 1.3 },
  { concurrency: 10, jobs: 16_000, factor: 2.5 },
  { concurrency: 100, jobs: 24_000, factor: 3 },
  { concurrency: 500, jobs: 24_000, factor: 3 },
];

export default {
  name: 'process',
  title: 'Process a no-op',

  variants(quick) {
    return [true, false].flatMap((keep) =>
      SIZES.map(({ concurrency, jobs, factor }) => ({
        key: `${keep ? 'kept' : 'deleted'}-${concurrency}`,
        settings: { concurrency, keep, jobs: quick ? jobs / 4 : jobs },
        rows: [
          {
            measure: 'rate',
            label: `concurrency ${concurrency}, result ${keep ? 'kept' : 'deleted'}`,
            unit: 'jobs/s',
            goal: atLeastTimes(factor),
          },
        ],
      })),
    );
  },

  run: processRun,
};
