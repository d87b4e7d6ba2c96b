// A worker that is warm and a queue that is full: the worker has run the first jobs, and the others wait in the paused
// queue. What a start costs (connections, threads, compiling) is over when the queue is resumed.

/**
 * @param {import('./measured-side.mjs').MeasuredSide} side
 * @param {{ queue: string, filler: object, consumer: { start() }, log: import('./delivery-log.mjs').DeliveryLog,
 *   jobs: number, warmUp: number, large?: boolean }} run `warmUp`: how many of the jobs are run before
 */
export async function warmStart(side, { queue, filler, consumer, log, jobs, warmUp, large }) {
  await filler.fill(warmUp, { large });
  await consumer.start();
  await log.reached(warmUp * log.runsPerJob);
  await side.settled(queue);
  await filler.pause();
  await filler.fill(jobs - warmUp, { from: warmUp, large });
}
