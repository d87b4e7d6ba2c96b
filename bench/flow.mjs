// What limits, keys and turns cost, and whether they hold: `npm run build && node bench/flow.mjs [--only one,rates,...]`.
// Each row says what it is held to. BullMQ has keys (groups) in its paid version only, so nothing is measured beside them;
// what both libraries have is in cases/limits.mjs. On a busy machine compare the rows of one part, which run in turns.

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { createHash } from 'node:crypto';
import { Connections, HandlerRegistry, Queue, RedisJobStore, Worker } from '../dist/index.js';
import { enqueue } from '../dist/store/scripts/compiled.js';
import { info, startRedis } from './harness/redis-server.mjs';

const ENQUEUE = createHash('sha1').update(enqueue.text).digest('hex');

const PARTS = { one, elsewhere, rates, blocked, turns, window, pickup, slot, memory };
const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    /** Of large numbers of jobs a tenth. */
    quick: { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
const scale = values.quick ? 0.1 : 1;
const redis = await startRedis();
const { client } = redis;
await client.config('SET', 'slowlog-log-slower-than', 1000, 'slowlog-max-len', 1000);
let opened = [];
const workers = new Set();

try {
  for (const name of values.only?.split(',') ?? Object.keys(PARTS)) {
    await PARTS[name]();
    await closeAll();
  }
} finally {
  await closeAll();
  await redis.stop();
}

/** 200 jobs of 2 ms by a handler with `concurrency: 1`, and by a worker of concurrency 1. */
async function one() {
  const times = { handler: [], total: [], worker: [] };
  let inOrder = true;
  for (let round = 0; round < rounds; round += 1) {
    for (const kind of Object.keys(times)) {
      const order = [];
      const run = async (n) => {
        order.push(n);
        await pause(2);
      };
      const concurrency = { handler: 1, total: { total: 1 }, worker: undefined }[kind];
      const took = await drain({
        items: Array.from({ length: 200 }, (_, n) => ({ name: 'work', data: n })),
        handler: { run, concurrency },
        worker: { concurrency: kind === 'worker' ? 1 : 10 },
      });
      times[kind].push(took);
      inOrder &&= order.length === 200 && order.every((n, index) => n === index);
    }
  }
  const best = median(times.worker);
  print('200 jobs of 2 ms: worker of concurrency 1', ms(best), '');
  print('  @Job({ concurrency: 1 })', ms(median(times.handler)), 'as quick');
  print('  @Job({ concurrency: { total: 1 } })', ms(median(times.total)), '');
  print('  in order', inOrder ? 'yes' : 'NO', 'yes');
}

/** Plain jobs, while another queue on the same Redis has limits and jobs in lanes. */
async function elsewhere() {
  const plain = { handler: {}, items: list(20_000), concurrency: 100 };
  const other = () =>
    queueNamed('other').then((queue) =>
      queue.enqueueMany(list(1000, (n) => ({ key: `k${n % 100}` }))),
    );
  const [alone, beside] = await inTurns([
    () => rate(plain),
    () => rate({ ...plain, prepare: other }),
  ]);
  print('plain jobs', perSecond(alone), '');
  print('plain jobs, limits on another queue', percent(beside / alone), '≥ 97 %');
}

/** How fast a worker empties a queue, against plain jobs. */
async function rates() {
  const count = 20_000 * scale;
  const tenKeys = (n) => ({ key: `k${n % 1000}` });
  const kinds = [
    ['plain, concurrency 100', {}, undefined, 100, ''],
    ['  handler total, no key', { concurrency: { total: 50 } }, undefined, 100, '≥ 70 %'],
    ['  handler rate, no key', { rateLimit: { max: 1e6, per: 10 } }, undefined, 100, '≥ 70 %'],
    ['  turns, 1000 keys', {}, tenKeys, 100, '≥ 45 %'],
    ['  2 of a key, 1000 keys', { concurrency: { perKey: 2 } }, tenKeys, 100, '≥ 45 %'],
    ['  batches of 50, 10 keys', { batch: { size: 50 } }, (n) => ({ key: `k${n % 10}` }), 100, ''],
    ['plain, concurrency 1', {}, undefined, 1, ''],
    ['  turns, 1000 keys', {}, tenKeys, 1, '≥ 45 %'],
    // What holds a slot or spends a start is not claimed ahead: one trip for each job, as of a worker that never does.
    ['plain, concurrency 1, prefetch 0', {}, undefined, 1, '', 0],
    ['  handler total', { concurrency: { total: 50 } }, undefined, 1, '≥ 60 %'],
    ['  2 of a key, 1000 keys', { concurrency: { perKey: 2 } }, tenKeys, 1, '≥ 60 %'],
  ];
  const medians = await inTurns(
    kinds.map(([, handler, options, concurrency, , prefetch]) => () => {
      const jobs = concurrency === 1 ? count / 4 : count;
      return rate({ handler, items: list(jobs, options), concurrency, prefetch });
    }),
  );
  let plain = 0;
  for (const [index, [name, , , , goal]] of kinds.entries()) {
    if (goal === '' && !name.startsWith(' ')) plain = medians[index];
    const isPlain = !name.startsWith(' ');
    const value = isPlain ? perSecond(medians[index]) : percent(medians[index] / plain);
    print(name, value, goal);
  }
  // Counted by the longest script that any of them had.
  await printLongestScript('any script');
}

/** Jobs of other keys, while a key at its limit has a million in front of them. */
async function blocked() {
  const count = 1_000_000 * scale;
  const results = [];
  for (const size of [1000, count]) {
    await client.flushall();
    await client.config('RESETSTAT');
    const queue = await queueNamed('work');
    const handler = { key: (data) => data.key, concurrency: { perKey: 2 } };
    await worker({ work: { ...handler, run: () => new Promise(() => undefined) } }, 2);
    const items = (key, length) =>
      Array.from({ length }, () => ({
        name: 'work',
        data: { key },
        options: { key, resultTtl: 0 },
      }));
    for (let done = 0; done < size; done += 10_000)
      await queue.enqueueMany(items('flood', Math.min(10_000, size - done)));
    await until(async () => (await queue.counts()).started === 2);
    const others = 10_000 * scale;
    let ran = 0;
    let firstAt;
    await worker(
      {
        work: {
          ...handler,
          run() {
            firstAt ??= performance.now();
            ran += 1;
          },
        },
      },
      100,
    );
    const begin = performance.now();
    const jobs = Array.from({ length: others }, (_, n) => items(`k${n % 100}`, 1)[0]);
    await queue.enqueueMany(jobs);
    await until(() => ran === others);
    results.push({ rate: others / (performance.now() - begin), first: firstAt - begin });
    await closeAll();
  }
  const [few, many] = results;
  print(
    `others' rate, ${count} blocked in front, against 1000`,
    percent(many.rate / few.rate),
    '≥ 95 %',
  );
  print('  first job of the others', ms(many.first), '≤ 20 ms');
  await printLongestScript('  any script');
}

/** Jobs of many keys, enqueued key after key: how far apart any two keys are while they are served. */
async function turns() {
  const keys = 10_000 * scale;
  const each = 20;
  await client.flushall();
  const queue = await queueNamed('work');
  for (let key = 0; key < keys; key += 1000) {
    const items = [];
    for (let one = key; one < Math.min(keys, key + 1000); one += 1)
      for (let n = 0; n < each; n += 1)
        items.push({ name: 'work', data: one, options: { key: one, resultTtl: 0 } });
    await queue.enqueueMany(items);
  }
  const served = new Uint16Array(keys);
  const withCount = [keys];
  let [least, most, spread, ran] = [0, 0, 0, 0];
  const run = (key) => {
    const count = (served[key] += 1);
    withCount[count - 1] -= 1;
    withCount[count] = (withCount[count] ?? 0) + 1;
    while (withCount[least] === 0) least += 1;
    most = Math.max(most, count);
    spread = Math.max(spread, most - least);
    ran += 1;
  };
  await worker({ work: { run } }, 100);
  await until(() => ran === keys * each);
  print(`${keys} keys of ${each} jobs: turns between any two keys`, String(spread), '≤ 2');
  await printLongestScript(`  any script at ${keys} keys`);
}

/** A rate in eight workers: what is sustained, the fullest window, and how many calls found nothing. */
async function window() {
  for (const [max, per] of [
    [10, 200],
    [200, 500],
    [1000, 1000],
  ]) {
    await client.flushall();
    const queue = await queueNamed('work');
    const seconds = values.quick ? 2 : 5;
    const starts = [];
    let futile = 0;
    let calls = 0;
    const count = (request, reply) => {
      calls += 1;
      if (request.outcomes.length === 0 && reply.claimed.length === 0) futile += 1;
      for (const _ of reply.claimed) starts.push(reply.now);
    };
    const jobs = Math.ceil((max * seconds * 1000) / per);
    await queue.enqueueMany(list(jobs));
    const handler = { rateLimit: { max, per: per / 1000 }, run: () => undefined };
    for (let n = 0; n < 8; n += 1) await worker({ work: handler }, 10, count);
    await until(() => starts.length === jobs);
    // The first window is full at once, so that what follows is one period shorter.
    starts.sort((a, b) => a - b);
    let fullest = 0;
    for (let from = 0, to = 0; to < starts.length; to += 1) {
      while (starts[to] - starts[from] >= per) from += 1;
      fullest = Math.max(fullest, to - from + 1);
    }
    const sustained = (jobs - max) / (starts.at(-1) - starts[0]) / (max / per);
    print(`${max} in ${per} ms: sustained`, percent(sustained), '≥ 97 %');
    print('  most starts in any window', String(fullest), `≤ ${max} (clock of 1 ms)`);
    print('  calls that found nothing', percent(futile / calls), '≤ 20 %');
    await closeAll();
  }
}

/** 200 jobs a second to eight idle workers: from enqueue to start. */
async function pickup() {
  const kinds = { list: {}, lane: { key: 'a' } };
  const found = { list: [], lane: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const [kind, options] of Object.entries(kinds)) {
      await client.flushall();
      const queue = await queueNamed('work');
      const run = (at) => void found[kind].push(performance.now() - at);
      for (let n = 0; n < 8; n += 1) await worker({ work: { run } }, 10);
      await pause(200);
      for (let n = 0; n < 300; n += 1) {
        await queue.enqueue('work', performance.now(), options);
        await pause(4);
      }
      await until(() => found[kind].length === 300 * (round + 1));
      await closeAll();
    }
  }
  const [plain, lane] = [median(found.list), median(found.lane)];
  print('idle pickup p50: list', ms(plain), '');
  print('  lane', ms(lane), `${percent(lane / plain)}, ≤ 120 %`);
}

/** A worker vanishes while it runs the job of a key: when the next one starts, after the end of its lease. */
async function slot() {
  const late = [];
  for (let round = 0; round < rounds; round += 1) {
    await client.flushall();
    const queue = await queueNamed('work');
    const handler = { concurrency: { perKey: 1 } };
    const gone = await open();
    const dead = new HandlerRegistry();
    const run = () => new Promise(() => undefined);
    dead.register({ queue: 'work', name: 'work', owner: 'Benchmark', ...handler, run });
    const options = { lease: 1, concurrency: 1 };
    const first = new Worker(gone, dead, options);
    await first.start();
    await queue.enqueue('work', 0, { key: 'a' });
    await until(async () => (await queue.counts()).started === 1);
    const second = new Promise((resolve) => {
      const next = { ...handler, run: () => resolve(Date.now()) };
      void worker({ work: next }, 1, undefined, { lease: 1 });
    });
    await pause(300);
    opened = opened.filter((one) => one !== gone.connections);
    await gone.connections.close();
    const [, score] = await client.zrange('rq:wip:work', '0', '-1', 'WITHSCORES');
    late.push((await second) - Number(score) * 1000);
    first.stop().catch(() => undefined);
    await closeAll();
  }
  print('a slot is free after the end of the lease', ms(Math.max(...late)), '≤ 50 ms, at most');
}

/** What a waiting job takes in Redis. */
async function memory() {
  const count = 50_000 * scale;
  const perJob = [];
  for (const options of [undefined, (n) => ({ key: `k${n % (count / 10)}` })]) {
    await client.flushall();
    const queue = await queueNamed('work');
    const before = Number((await info(client, 'memory')).used_memory);
    for (let done = 0; done < count; done += 5000)
      await queue.enqueueMany(
        list(5000, options && ((n) => options(done + n))).slice(0, count - done),
      );
    perJob.push((Number((await info(client, 'memory')).used_memory) - before) / count);
  }
  const [plain, lane] = perJob;
  print('memory of a waiting job', `${Math.round(plain)} B`, '');
  print('  in a lane of 10', `${Math.round(lane)} B`, `${percent(lane / plain)}, ≤ 115 %`);
}

/** Jobs a second of a queue that is filled before, by a worker that has run some already. */
async function rate({ handler, items, concurrency, prefetch, prepare }) {
  const took = await drain({ handler, items, worker: { concurrency, prefetch }, prepare });
  return (items.length / took) * 1000;
}

/** Milliseconds from the first start to the last settled outcome. */
async function drain({ handler, items, worker: options, prepare }) {
  await client.flushall();
  await prepare?.();
  const queue = await queueNamed('work');
  const warm = items.slice(0, 10);
  const run = handler.run ?? (() => undefined);
  let isWarm = false;
  let begin;
  let ran = 0;
  const counted = (data, job) => {
    if (!isWarm) return undefined;
    begin ??= performance.now();
    ran += handler.batch ? data.length : 1;
    return handler.batch ? undefined : run(data, job);
  };
  const { concurrency, prefetch = 'auto' } = options;
  await worker({ work: { ...handler, run: counted } }, concurrency, undefined, { prefetch });
  await queue.enqueueMany(warm);
  await until(async () => (await waitingOf(queue)) === 0);
  isWarm = true;
  await queue.pause();
  await queue.enqueueMany(items);
  await queue.resume();
  // To look at the queue all the time would be a good part of the work.
  await until(() => ran === items.length);
  await until(async () => (await waitingOf(queue)) === 0);
  const took = performance.now() - begin;
  await closeAll();
  return took;
}

async function waitingOf(queue) {
  const { queued, started, scheduled } = await queue.counts();
  return queued + started + scheduled;
}

function list(length, options) {
  return Array.from({ length }, (_, n) => ({
    name: 'work',
    data: { n },
    options: { resultTtl: 0, ...options?.(n) },
  }));
}

/** Each of them in every round, forwards and backwards; the medians. */
async function inTurns(measures) {
  const found = measures.map(() => []);
  const order = [...measures.keys()];
  for (let round = 0; round < rounds; round += 1) {
    for (const index of round % 2 ? order.toReversed() : order)
      found[index].push(await measures[index]());
  }
  return found.map(median);
}

async function open() {
  const connections = new Connections(`redis://127.0.0.1:${redis.port}`);
  opened.push(connections);
  await connections.connect();
  const store = new RedisJobStore(connections);
  return Object.assign(store, { connections });
}

async function queueNamed(name) {
  return new Queue(name, await open());
}

/** @param watch hears of each exchange, what was asked and what came of it */
async function worker(handlers, concurrency, watch, options = {}) {
  const registry = new HandlerRegistry();
  for (const [name, handler] of Object.entries(handlers))
    registry.register({ queue: 'work', name, owner: 'Benchmark', ...handler });
  const store = await open();
  if (watch) {
    const exchange = store.exchange.bind(store);
    store.exchange = async (queue, request) => {
      const reply = await exchange(queue, request);
      watch(request, reply);
      return reply;
    };
  }
  const started = new Worker(store, registry, { concurrency, shutdownTimeout: 0, ...options });
  workers.add(started);
  await started.start();
  return started;
}

async function closeAll() {
  await Promise.all([...workers].map((one) => one.stop()));
  workers.clear();
  await Promise.all(opened.splice(0).map((connections) => connections.close()));
}

async function until(isSo) {
  const deadline = performance.now() + 100_000;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error('it takes too long');
    await pause(1);
  }
}

/** Of all since the last time, by Redis's own clock. */
async function printLongestScript(what) {
  const entries = await client.slowlog('GET', 1000);
  // Not the first call of each, which compiles it.
  const scripts = entries.filter(([, , , [command]]) => /^evalsha$/i.test(command));
  const longest = (list) => Math.max(0, ...list.map(([, , microseconds]) => microseconds)) / 1000;
  const isBulk = ([, , , [, script]]) => script === ENQUEUE;
  const others = scripts.filter((entry) => !isBulk(entry));
  print(what, ms(longest(others)), '≤ 5 ms');
  // All or nothing: one step, however long.
  print('  1000 jobs enqueued together', ms(longest(scripts.filter(isBulk))), '');
  await client.slowlog('RESET');
}

function median(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

function ms(value) {
  return `${value.toFixed(2)} ms`;
}

function perSecond(value) {
  return `${Math.round(value).toLocaleString('en-US')} jobs/s`;
}

function percent(value) {
  return `${(value * 100).toFixed(1)} %`;
}

function print(what, value, goal) {
  console.log(`${what.padEnd(56)} ${value.padStart(16)}   ${goal}`);
}
