// The measure that most cases share: a queue is filled, a worker empties it, and the clock runs from the end of the
// warm-up (a tenth of the jobs) to the moment at which Redis holds the last outcome.

import { DeliveryLog } from './delivery-log.mjs';
import { fill } from './filling.mjs';

/**
 * @param {import('./measured-side.mjs').MeasuredSide} side
 * @param {{ jobs: number, concurrency: number, keep: boolean, throughProxy?: boolean, large?: boolean,
 *   failOnce?: boolean, openConsumer?: (options: object) => Promise<{ start(), stop() }> }} settings
 * @returns {Promise<{ rate: number }>} jobs per second
 */
export async function processRun(side, settings) {
  const { jobs, concurrency, keep, throughProxy, large, failOnce } = settings;
  const queue = 'process';
  const producer = await side.producer({ queue, keep, retries: failOnce ? 1 : 0 });
  const ids = await fill(producer, jobs, { large });

  const runsPerJob = failOnce ? 2 : 1;
  const calls = jobs * runsPerJob;
  const warmUp = Math.ceil(calls / 10);
  const log = new DeliveryLog(jobs, { runsPerJob, warmUp });
  const consumer = await (settings.openConsumer ?? ((options) => side.consumer(options)))({
    queues: [queue],
    concurrency,
    keep,
    port: throughProxy ? side.proxyPort : side.port,
    handle: failOnce ? failFirst(log) : succeed(log),
  });
  side.collectGarbage();

  await consumer.start();
  await log.reached(calls);
  const end = await side.settled(queue);
  await consumer.stop();

  log.verify(ids);
  await side.expectCensus(queue, { finished: keep ? jobs : 0 });
  return { rate: ((calls - warmUp) / runsPerJob / (end - log.warmAt)) * 1000 };
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
