// What a cluster costs: `npm run build && node bench/cluster.mjs [--rounds 5] [--jobs 3000] [--callers 20]
// [--concurrency 100]`: jobs and callers of each queue, and slots of the one worker. The same jobs in six queues on one server, on one server with the
// names of a cluster, on a cluster of one node, and on three masters, in turn. On a machine with few cores three masters
// are not quicker, as they share them: what counts is the processor time of all servers per job.
//
// The second row is what our names cost, and the third what Redis does for a cluster besides. In the fourth each server
// has a third of the calls. How many of them it finds each time when it reads decides what they cost: with callers
// enough (`--callers 200 --concurrency 500`) each of three finds as many as one did. `--rows 2` measures only the first two.

import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import {
  ClusterConnections,
  ClusterJobStore,
  Connections,
  HandlerRegistry,
  Queue,
  RedisJobStore,
  Worker,
} from '../dist/index.js';
import { startRedisServer } from '../scripts/redis-server.mjs';
import { commandStatistics, info } from './harness/redis-server.mjs';
import { median, quantile } from './harness/statistics.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    jobs: { type: 'string', default: '3000' },
    callers: { type: 'string', default: '20' },
    concurrency: { type: 'string', default: '100' },
    rows: { type: 'string', default: '4' },
  },
});
/** On three masters, two of these are on each. */
const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];
const EACH = Number(values.jobs);
const CALLERS = Number(values.callers);
const CONCURRENCY = Number(values.concurrency);
const SLOTS = 16384;

const one = await start([]);
const cluster = await startCluster(3);
const node = await startCluster(1);
const { url } = one[0].server;
const PLACES = {
  'one server': {
    nodes: one,
    open: () => new Connections(url),
    store: (connections) => new RedisJobStore(connections),
  },
  'one server, names of a cluster': {
    nodes: one,
    open: () => new Connections(url, { layout: 'cluster' }),
    store: (connections) => new ClusterJobStore(connections),
  },
  'a cluster of one node': placeIn(node),
  'three masters': placeIn(cluster),
};
const names = Object.keys(PLACES).slice(0, Number(values.rows));
const runs = [];
try {
  for (const name of names) await measure(PLACES[name], EACH / 10);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const found = {};
    const inTurn = round % 2 === 0 ? names : names.toReversed();
    for (const name of inTurn) found[name] = await measure(PLACES[name], EACH);
    runs.push(found);
  }
  console.table(Object.fromEntries(names.map((name) => [name, rowOf(name)])));
} finally {
  await Promise.all([...one, ...node, ...cluster].map(stop));
}

function placeIn(nodes) {
  return {
    nodes,
    open: () => new ClusterConnections({ cluster: { nodes: [nodes[0].server.url] } }),
    store: (connections) => new ClusterJobStore(connections),
  };
}

/** Medians, and the ratios to one server within a round: the median, and the middle half. */
function rowOf(name) {
  const of = (key) => median(runs.map((run) => run[name][key]));
  const ratio = (key) => {
    const all = runs.map((run) => run[name][key] / run['one server'][key]);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => percent(quantile(all, q)));
    return `${middle} (${low} to ${high})`;
  };
  const percent = (value) => `${value >= 1 ? '+' : ''}${((value - 1) * 100).toFixed(1)} %`;
  return {
    'jobs per second': Math.round(of('rate')),
    'servers, µs per job': of('servers').toFixed(1),
    'against one server': ratio('servers'),
    'of it in the system': of('system').toFixed(1),
    'calls per job': of('calls').toFixed(3),
    'reads per job': of('reads').toFixed(3),
    'client, µs per job': of('client').toFixed(1),
    'client against one': ratio('client'),
  };
}

async function measure({ nodes, open, store }, each) {
  for (const { client } of nodes) await client.flushall();
  const [producing, working] = [open(), open()];
  await Promise.all([producing.connect(), working.connect()]);
  const producer = store(producing);
  const handlers = new HandlerRegistry();
  let left = each * QUEUES.length;
  let over;
  const isOver = new Promise((resolve) => (over = resolve));
  for (const queue of QUEUES) {
    handlers.register({ queue, name: 'add', owner: 'bench', run: ({ n }) => n + 1 });
  }
  const observer = { jobFinished: () => (left -= 1) === 0 && over() };
  const worker = new Worker(store(working), handlers, { concurrency: CONCURRENCY }, observer);
  await worker.start();
  const counted = await countersOf(nodes);
  const before = [performance.now(), await processorOf(nodes), process.cpuUsage()];
  await Promise.all(QUEUES.map((name) => feed(new Queue(name, producer), each)));
  await isOver;
  const jobs = each * QUEUES.length;
  const seconds = (performance.now() - before[0]) / 1000;
  const spent = await processorOf(nodes);
  const servers = (spent.all - before[1].all) / jobs;
  const inSystem = (spent.system - before[1].system) / jobs;
  const { user, system } = process.cpuUsage(before[2]);
  const after = await countersOf(nodes);
  const per = Object.fromEntries(
    Object.entries(after).map(([key, value]) => [key, (value - (counted[key] ?? 0)) / jobs]),
  );
  await worker.stop();
  await Promise.all([producing.close(), working.close()]);
  const client = (user + system) / jobs;
  return { rate: jobs / seconds, servers, system: inSystem, client, ...per };
}

async function feed(queue, count) {
  let next = 0;
  const call = async () => {
    while ((next += 1) <= count)
      await queue.enqueue('add', { n: next, text: 'some text of a job' });
  };
  await Promise.all(Array.from({ length: CALLERS }, call));
}

/** How often the servers have read from connections, and run a script. */
async function countersOf(nodes) {
  const sum = { reads: 0, calls: 0 };
  for (const { client } of nodes) {
    const stats = await info(client, 'stats');
    sum.reads += Number(stats.total_reads_processed);
    const commands = await commandStatistics(client);
    sum.calls += commands.find(({ command }) => command === 'evalsha')?.calls ?? 0;
  }
  return sum;
}

/** Microseconds, and what the kernel had of them (reading, writing, waiting). */
async function processorOf(nodes) {
  const sections = await Promise.all(nodes.map(({ client }) => info(client, 'cpu')));
  const sum = (key) => sections.reduce((all, cpu) => all + Number(cpu[key]), 0) * 1e6;
  const system = sum('used_cpu_sys');
  return { all: sum('used_cpu_user') + system, system };
}

async function start(args, count = 1) {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const server = await startRedisServer({ args });
      return { server, client: new Redis(server.port, server.host) };
    }),
  );
}

async function startCluster(count) {
  const nodes = await start(['--cluster-enabled', 'yes'], count);
  const share = Math.ceil(SLOTS / count);
  const [first] = nodes;
  for (const [index, { client }] of nodes.entries()) {
    const last = Math.min(SLOTS, (index + 1) * share) - 1;
    await client.call('CLUSTER', 'ADDSLOTSRANGE', index * share, last);
    await client.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1);
    if (index > 0) await client.call('CLUSTER', 'MEET', first.server.host, first.server.port);
  }
  const isUp = async ({ client }) => {
    const text = await client.call('CLUSTER', 'INFO');
    return text.includes('cluster_state:ok') && text.includes(`cluster_known_nodes:${count}`);
  };
  while (!(await Promise.all(nodes.map(isUp))).every(Boolean)) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return nodes;
}

async function stop({ server, client }) {
  client.disconnect();
  await server.stop();
}
