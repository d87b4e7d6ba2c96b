// What limits and priorities cost, where both libraries have them: how many jobs of a queue run at once in all processes, how
// many may start in a span of time (more than there are, so that it is the counting which is measured), and jobs of three
// priorities. BullMQ has keys (groups) in its paid version only: bench/flow.mjs measures ours alone.

import { atLeastTimes } from '../harness/goals.mjs';
import { processRun } from '../harness/process-run.mjs';

const KINDS = [
  { key: 'total', label: 'at most 50 at once in all processes', limits: { total: 50 } },
  {
    key: 'rate',
    label: 'at most a million starts in 10 s',
    limits: { rate: { max: 1e6, seconds: 10 } },
  },
  { key: 'priority', label: 'three priorities', priorities: true },
];

export default {
  name: 'limits',
  title: 'Limits and priorities, concurrency 100, result deleted',

  variants(quick) {
    return KINDS.map(({ key, label, limits, priorities }) => ({
      key,
      settings: { concurrency: 100, keep: false, jobs: quick ? 6_000 : 24_000, limits, priorities },
      rows: [{ measure: 'rate', label, unit: 'jobs/s', goal: atLeastTimes(2) }],
    }));
  },

  run: processRun,
};
