// What it costs to count what becomes of jobs, for `inspector.history()`: `node bench/history.mjs [--jobs 300000]`. It shows
// the share of the client's CPU time that is counting, as a profile of no-op jobs has it: a busy machine does not spoil it.

import { Session } from 'node:inspector/promises';
import { parseArgs } from 'node:util';
import { Connections, HandlerRegistry, Queue, RedisJobStore, Worker } from '../dist/index.js';
import { startRedis } from './harness/redis-server.mjs';

const { values } = parseArgs({ options: { jobs: { type: 'string', default: '300000' } } });
const ROUND = 30_000;

const redis = await startRedis();
const connections = new Connections({ port: redis.port });
const store = new RedisJobStore(connections);
const queue = new Queue('work', store);
let ran = 0;
let reached = () => {};
const handlers = new HandlerRegistry();
handlers.register({
  queue: 'work',
  name: 'work',
  owner: 'Benchmark.work',
  run: async (data) => {
    ran += 1;
    if (ran === ROUND) reached();
    return data.n;
  },
});
const worker = new Worker(store, handlers, { queues: ['work'], concurrency: 100 });
await worker.start();
const profiler = new Session();
profiler.connect();
await profiler.post('Profiler.enable');
await profiler.post('Profiler.setSamplingInterval', { interval: 200 });
let [counting, all] = [0, 0];
for (let done = 0; done < Number(values.jobs) + ROUND; done += ROUND) {
  await queue.pause();
  await fill();
  ran = 0;
  const end = new Promise((resolve) => (reached = resolve));
  await profiler.post('Profiler.start');
  await queue.resume();
  await end;
  const { profile } = await profiler.post('Profiler.stop');
  // What compiles in the first round is not what jobs cost.
  if (done === 0) continue;
  const shares = sharesOf(profile);
  counting += shares.counting;
  all += shares.all;
}
console.log(
  `counting: ${((100 * counting) / all).toFixed(2)} % of the client's CPU time (goal: at most 1 %)`,
);
await worker.stop();
await connections.close();
await redis.stop();

async function fill() {
  for (let from = 0; from < ROUND; from += 1000) {
    const jobs = Array.from({ length: 1000 }, (_, index) => ({
      name: 'work',
      data: { n: from + index },
      options: { resultTtl: 0 },
    }));
    await queue.enqueueMany(jobs);
  }
}

/** Samples below the functions of report/job-counts.js, and all in which something ran. */
function sharesOf({ nodes, samples, timeDeltas }) {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const isCounting = new Map();
  const visit = (node, inherited) => {
    const counts = inherited || node.callFrame.url.endsWith('/report/job-counts.js');
    isCounting.set(node.id, counts);
    for (const child of node.children ?? []) visit(byId.get(child), counts);
  };
  visit(nodes[0], false);
  let [counting, all] = [0, 0];
  for (const [index, id] of samples.entries()) {
    if (byId.get(id).callFrame.functionName === '(idle)') continue;
    const weight = timeDeltas[index];
    all += weight;
    if (isCounting.get(id)) counting += weight;
  }
  return { counting, all };
}
