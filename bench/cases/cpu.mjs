// The whole life of a job in CPU seconds: enqueued by 100 callers, processed at concurrency 100, result deleted. The
// client's are those of its process (with all its threads), the server's those of redis-server.

import { DeliveryLog } from '../harness/delivery-log.mjs';
import { byCallers } from '../harness/filling.mjs';
import { atMostTimes } from '../harness/goals.mjs';
import { info } from '../harness/redis-server.mjs';

const QUEUE = 'cpu';

export default {
  name: 'cpu',
  title: 'CPU seconds per 100 k jobs, enqueued and processed',

  variants(quick) {
    const row = (measure, label) => ({ measure, label, unit: 's', goal: atMostTimes(0.5) });
    return [
      {
        key: 'seconds',
        settings: { jobs: quick ? 6_000 : 24_000 },
        rows: [row('client', 'client'), row('server', 'server')],
      },
    ];
  },

  async run(side, { jobs }) {
    const producer = await side.producer({ queue: QUEUE, keep: false });
    const log = new DeliveryLog(jobs);
    const consumer = await side.consumer({
      queues: [QUEUE],
      concurrency: 100,
      keep: false,
      handle(data, id) {
        log.record(data.n, id);
        return data.n;
      },
    });
    side.collectGarbage();
    const serverBefore = await serverSeconds(side.redis);
    const clientBefore = process.cpuUsage();

    const ids = await byCallers(producer, jobs, 100);
    await consumer.start();
    await log.reached(jobs);
    await side.settled(QUEUE);

    const { user, system } = process.cpuUsage(clientBefore);
    const server = (await serverSeconds(side.redis)) - serverBefore;
    await consumer.stop();
    log.verify(ids);
    await side.expectCensus(QUEUE, {});
    const per100k = 100_000 / jobs;
    return { client: ((user + system) / 1e6) * per100k, server: server * per100k };
  },
};

async function serverSeconds(redis) {
  const { used_cpu_user: user, used_cpu_sys: system } = await info(redis, 'cpu');
  return Number(user) + Number(system);
}
