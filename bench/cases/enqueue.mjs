// How fast jobs get into Redis: by one caller that awaits each, by 100 callers at once, in lists of 1000.

import { VoidRun } from '../harness/delivery-log.mjs';
import { atLeastTimes } from '../harness/goals.mjs';
import { byCallers, fill } from '../harness/filling.mjs';

const QUEUE = 'enqueue';

export default {
  name: 'enqueue',
  title: 'Enqueue',

  variants(quick) {
    const size = quick ? 0.25 : 1;
    const variant = (key, label, jobs, factor) => ({
      key,
      settings: { way: key, jobs: jobs * size },
      rows: [{ measure: 'rate', label, unit: 'jobs/s', goal: atLeastTimes(factor) }],
    });
    return [
      variant('one', 'one at a time', 4_000, 1.1),
      variant('callers', '100 callers', 24_000, 3),
      variant('bulk', 'in bulk of 1000', 32_000, 4),
    ];
  },

  async run(side, { way, jobs }) {
    const producer = await side.producer({ queue: QUEUE });
    const enqueue = {
      one: (count) => byCallers(producer, count, 1),
      callers: (count) => byCallers(producer, count, 100),
      bulk: (count) => fill(producer, count),
    }[way];
    const warmUp = await enqueue(1000);
    side.collectGarbage();

    const begin = performance.now();
    const ids = await enqueue(jobs);
    const seconds = (performance.now() - begin) / 1000;

    if (new Set([...ids, ...warmUp]).size !== jobs + 1000)
      throw new VoidRun('an id is missing or twice');
    await side.expectCensus(QUEUE, { waiting: jobs + 1000 });
    return { rate: jobs / seconds };
  },
};
