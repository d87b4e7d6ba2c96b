// Every job fails once, is retried at once and succeeds: the rate counts jobs, not attempts.

import { atLeastTimes } from '../harness/goals.mjs';
import { processRun } from '../harness/process-run.mjs';

export default {
  name: 'retries',
  title: 'Fail once, retried at once',

  variants(quick) {
    return [
      {
        key: 'once',
        settings: { jobs: quick ? 2_500 : 10_000, concurrency: 100, keep: false, failOnce: true },
        rows: [
          {
            measure: 'rate',
            label: 'concurrency 100, result deleted',
            unit: 'jobs/s',
            goal: atLeastTimes(2),
          },
        ],
      },
    ];
  },

  run: processRun,
};
