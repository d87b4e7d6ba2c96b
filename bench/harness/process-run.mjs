// The measure that most cases share: a queue is filled, a worker that is warm empties it, and the clock runs from the
// first job to the moment at which Redis holds the last outcome. The quicker library gets more jobs, so that runs last
// about as long and the clock's edges weigh the same.

import { DeliveryLog } from './delivery-log.mjs';
import { warmStart } from './warm-start.mjs';

/**
 * @param {import('./measured-side.mjs').MeasuredSide} side
 * @param {{ jobs: number, concurrency: number, keep: boolean, throughProxy?: boolean, large?: boolean,
 *   failOnce?: boolean, limits?: object, priorities?: boolean,
 *   openConsumer?: (options: object) => Promise<{ start(), stop() }> }} settings
 * @returns {Promise<{ rate: number }>} jobs per second
 */
export async function processRun(side, settings) {
  const { concurrency, keep, throughProxy, large, failOnce, limits, priorities } = settings;
  const jobs = settings.jobs * side.pace;
  const queue = 'process';
  const filler = side.filler({ queue, keep, retries: failOnce ? 1 : 0, priorities });
  const runsPerJob = failOnce ? 2 : 1;
  const warmUp = Math.ceil(jobs / 10);
  const log = new DeliveryLog(jobs, { runsPerJob, warmUp: warmUp * runsPerJob });
  const consumer = await (settings.openConsumer ?? ((options) => side.consumer(options)))({
    queues: [queue],
    concurrency,
    keep,
    limits,
    port: throughProxy ? side.proxyPort : side.port,
    handle: failOnce ? failFirst(log) : succeed(log),
  });
  await warmStart(side, { queue, filler, consumer, log, jobs, warmUp, large });

  await filler.resume();
  await log.reached(jobs * runsPerJob);
  const end = await side.settled(queue);
  await consumer.stop();

  log.verify(await filler.ids());
  await side.expectCensus(queue, { finished: keep ? jobs : 0 });
  return { rate: ((jobs - warmUp) / (end - log.warmAt)) * 1000 };
}

function succeed(log) {
  return (data, id) => {
    log.record(data.n, id);
    return data.n;
  };
}

function failFirst(log) {
  return (data, id) => {
    if (log.record(data.n, id) === 1) throw new Error('the first attempt fails');
    return data.n;
  };
}
