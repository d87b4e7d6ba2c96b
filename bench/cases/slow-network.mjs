// The same with a network in between: a proxy of our own adds 1 ms each way between worker and Redis.

import { atLeastTimes } from '../harness/goals.mjs';
import { processRun } from '../harness/process-run.mjs';
import { median } from '../harness/statistics.mjs';
import { Redis } from 'ioredis';

const SIZES = [
  { concurrency: 10, jobs: 4_000, factor: 5 },
  { concurrency: 100, jobs: 16_000, factor: 3 },
];

export default {
  name: 'slow-network',
  title: 'Process a no-op, 1 ms each way added',
  proxyDelay: 1,
  quickRounds: 1,

  variants(quick) {
    const processing = [true, false].flatMap((keep) =>
      SIZES.map(({ concurrency, jobs, factor }) => ({
        key: `${keep ? 'kept' : 'deleted'}-${concurrency}`,
        settings: { concurrency, keep, jobs: quick ? jobs / 4 : jobs, throughProxy: true },
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
    const roundTrip = {
      key: 'ping',
      settings: { pings: 200 },
      rows: [{ measure: 'roundTrip', label: 'round trip of a PING, for reference', unit: 'ms' }],
    };
    return [...processing, roundTrip];
  },

  run: (side, settings) =>
    settings.pings ? measureRoundTrip(side, settings) : processRun(side, settings),
};

async function measureRoundTrip(side, { pings }) {
  const client = new Redis({ port: side.proxyPort, host: '127.0.0.1' });
  side.closeLater(() => client.disconnect());
  await client.ping();
  const times = [];
  for (let ping = 0; ping < pings; ping += 1) {
    const begin = performance.now();
    await client.ping();
    times.push(performance.now() - begin);
  }
  return { roundTrip: median(times) };
}
