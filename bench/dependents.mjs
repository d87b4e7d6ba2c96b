// What jobs that wait for others cost, and calls for very many jobs: `node bench/dependents.mjs [--only latency,fan-out,bulk,memory]`.
// No other library is measured beside it; each row says what it is held to. Scripts are as long as Redis says in its slow
// log. On a busy machine look at the last rows: the processor time of Redis, in all and per call of a script, is nearly the
// same there.

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Connections, HandlerRegistry, Queue, RedisJobStore, Worker } from '../dist/index.js';
import { info, startRedis } from './harness/redis-server.mjs';

const { values } = parseArgs({
  options: { only: { type: 'string' }, rounds: { type: 'string', default: '3' } },
});
const rounds = Number(values.rounds);
const CASES = { latency, 'fan-out': fanOut, bulk, memory };
const chosen = values.only?.split(',') ?? Object.keys(CASES);
const redis = await startRedis();
const { client } = redis;
const opened = [];
let processorBefore = 0;

try {
  for (const name of chosen) await CASES[name]();
} finally {
  await stop([]);
  await redis.stop();
}

/** A parent's handler has returned, and a child of it, in another queue, starts: with the way to Redis and back, twice. */
async function latency() {
  const count = 500;
  const store = await open();
  const lateness = [];
  let returned = 0;
  let started;
  const workers = [
    await work('parents', { work: () => void (returned = performance.now()) }),
    await work('children', {
      work: () => {
        lateness.push(performance.now() - returned);
        started();
      },
    }),
  ];
  const [parents, children] = ['parents', 'children'].map((name) => new Queue(name, store));
  for (let round = 0; round < count + 50; round += 1) {
    const hasStarted = new Promise((resolve) => (started = resolve));
    const parent = await parents.enqueueIn('2ms', 'work', round);
    await children.enqueue('work', round, { dependsOn: parent });
    await hasStarted;
    await pause(2);
  }
  const sorted = lateness.slice(50).toSorted((a, b) => a - b);
  print('parent settled, child started: p50', ms(sorted[count * 0.5]), '≤ 1.5 ms');
  print('parent settled, child started: p99', ms(sorted[count * 0.99]), '≤ 5 ms');
  await stop(workers);
}

/** A parent of 10 000 children finishes; meanwhile jobs of another queue come, one every 2 ms. */
async function fanOut() {
  const count = 10_000;
  for (let round = 0; round < rounds; round += 1) {
    const store = await open();
    const parent = await new Queue('parents', store).enqueue('work', 1);
    const children = new Queue('children', store);
    const items = Array.from({ length: count }, (_, n) => ({
      name: 'work',
      data: { n },
      options: { dependsOn: parent },
    }));
    await children.enqueueMany(items);
    const pickups = [];
    let began;
    const others = await work('others', {
      work: (at) => void pickups.push(performance.now() - at),
    });
    const other = new Queue('others', store);
    await watchScripts();
    const parents = await work('parents', { work: () => void (began = performance.now()) });
    let isOver = false;
    const traffic = (async () => {
      while (!isOver) {
        await other.enqueue('work', performance.now());
        await pause(2);
      }
    })();
    while ((await client.llen('rq:queue:children')) < count) await pause(1);
    const took = performance.now() - began;
    isOver = true;
    await traffic;
    await pause(20);
    const sorted = pickups.toSorted((a, b) => a - b);
    print(`fan-out of ${count}: all queued`, ms(took), '≤ 150 ms');
    await printScripts(`fan-out of ${count}`);
    const p99 = sorted[Math.floor(sorted.length * 0.99)];
    print(`fan-out of ${count}: p99 pickup of others (${sorted.length})`, ms(p99), '≤ 10 ms');
    await stop([parents, others]);
    await client.flushall();
  }
}

/** 100 000 jobs are canceled, requeued, deleted. */
async function bulk() {
  const count = 100_000;
  const store = await open();
  const queue = new Queue('bulk', store);
  for (let round = 0; round < rounds; round += 1) {
    const items = Array.from({ length: count }, (_, n) => ({ name: 'work', data: { n } }));
    await queue.enqueueMany(items);
    const calls = {
      cancel: () => queue.cancel({ in: 'queued' }),
      requeue: () => queue.requeue({ in: 'canceled' }),
      delete: () => queue.delete({ in: 'queued' }),
    };
    for (const [action, call] of Object.entries(calls)) {
      await watchScripts();
      const began = performance.now();
      const { done } = await call();
      const took = performance.now() - began;
      if (done !== count) throw new Error(`${action}: ${done} of ${count}`);
      print(`${action} of ${count}`, ms(took), '≤ 3000 ms');
      await printScripts(`${action} of ${count}`);
    }
    await client.flushall();
  }
}

/** What an edge between two jobs takes: both of RQ's sets. */
async function memory() {
  const store = await open();
  const parent = await new Queue('parents', store).enqueue('work', 1);
  const child = await new Queue('children', store).enqueue('work', 1, { dependsOn: parent });
  const keys = [`rq:job:${parent.id}:dependents`, `rq:job::${child.id}:dependencies`];
  const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key)));
  const sum = sizes.reduce((all, one) => all + one, 0);
  print('an edge in memory', `${sum} B`, '≤ 700 B');
}

async function open() {
  const connections = new Connections(`redis://127.0.0.1:${redis.port}`);
  opened.push(connections);
  await connections.connect();
  return new RedisJobStore(connections);
}

async function work(queue, handlers) {
  const registry = new HandlerRegistry();
  for (const [name, run] of Object.entries(handlers)) {
    registry.register({ queue, name, owner: 'Benchmark', run });
  }
  const worker = new Worker(await open(), registry, {});
  await worker.start();
  return worker;
}

async function stop(workers) {
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
}

async function watchScripts() {
  await client.config('SET', 'slowlog-log-slower-than', 1000, 'slowlog-max-len', 100_000);
  await client.slowlog('RESET');
  await client.config('RESETSTAT');
  processorBefore = await processorTime();
}

async function printScripts(what) {
  const processor = (await processorTime()) - processorBefore;
  const entries = await client.slowlog('GET', 100_000);
  const scripts = entries.filter(([, , , [command]]) => /^(evalsha|eval)$/i.test(command));
  const longest = Math.max(0, ...scripts.map(([, , microseconds]) => microseconds)) / 1000;
  const { evalsha } = await info(client, 'commandstats').then((stats) => ({
    evalsha: Number(/calls=(\d+)/.exec(stats['cmdstat_evalsha'] ?? 'calls=1')[1]),
  }));
  print(`${what}: longest script`, ms(longest), '≤ 5 ms');
  print(`${what}: processor time of Redis`, ms(processor), `${evalsha} calls of scripts`);
}

/** Of Redis, in milliseconds. */
async function processorTime() {
  const { used_cpu_user, used_cpu_sys } = await info(client, 'cpu');
  return (Number(used_cpu_user) + Number(used_cpu_sys)) * 1000;
}

function ms(value) {
  return `${value.toFixed(2)} ms`;
}

function print(what, value, goal) {
  console.log(`${what.padEnd(52)} ${value.padStart(12)}   ${goal}`);
}
