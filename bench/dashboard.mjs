// What the dashboard costs: `node bench/dashboard.mjs [--queues 100] [--failed 100000] [--workers 200] [--seconds 10]`.
// The dashboard runs in a process of its own, so that its processor time is its own; viewers are open streams, as pages hold
// them. Each row says what it is held to. On a busy machine look at commands and processor time: they are nearly the same there.

import { fork } from 'node:child_process';
import { request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { connectInspector } from '../dist/index.js';
import { serveDashboard } from '../dist/dashboard/server/index.js';
import { commandStatistics, info, startRedis } from './harness/redis-server.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    queues: { type: 'string', default: '100' },
    failed: { type: 'string', default: '100000' },
    workers: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '10' },
  },
});

await (positionals[0] === 'serve' ? serve(positionals[1]) : measure());

/** The child: a dashboard, which says how much processor time it has taken when it is asked. */
async function serve(redisUrl) {
  const inspector = await connectInspector(redisUrl);
  const served = await serveDashboard(inspector, { who: 'benchmark' });
  process.send({ url: served.url });
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    process.send({ processor: (user + system) / 1000 });
  });
}

async function measure() {
  const redis = await startRedis();
  const { client } = redis;
  const url = `redis://127.0.0.1:${redis.port}`;
  await fill(client);
  const child = fork(fileURLToPath(import.meta.url), ['serve', url]);
  try {
    const { url: address } = await said(child);
    const site = await enter(address);
    await overview(url, client);
    await pages(site);
    for (const viewers of [0, 1, 20, 50]) await watched(site, client, child, viewers);
  } finally {
    child.kill();
    await redis.stop();
  }
}

/** Queues with failed jobs, and workers, as the library would have left them there. */
async function fill(client) {
  const queues = Number(values.queues);
  const perQueue = Math.ceil(Number(values.failed) / queues);
  for (let queue = 0; queue < queues; queue += 1) {
    for (let from = 0; from < perQueue; from += 5000) {
      await client.eval(FAILED, 0, `queue-${queue}`, from, Math.min(perQueue, from + 5000));
    }
  }
  const now = new Date();
  const pipeline = client.pipeline();
  for (let worker = 0; worker < Number(values.workers); worker += 1) {
    const key = `rq:worker:host-${worker}.1`;
    pipeline.hset(key, {
      birth: now.toISOString(),
      last_heartbeat: now.toISOString(),
      queues: `queue-${worker % queues}`,
      state: 'busy',
      nrq_slots: '20',
      nrq_busy: '3',
      nrq_every: '3600000',
    });
    pipeline.sadd('rq:workers', key);
  }
  await pipeline.exec();
}

const FAILED = `
for i = ARGV[2], ARGV[3] - 1 do
  local id = ARGV[1] .. '-' .. i
  redis.call('HSET', 'rq:job:' .. id, 'origin', ARGV[1], 'status', 'failed', 'created_at', '2026-11-01T00:00:00.000000Z',
    'ended_at', '2026-11-01T00:00:01.000000Z', 'data', '["charge", null, [{"order": ' .. i .. '}], {}]',
    'exc_info', 'TimeoutError: connect ETIMEDOUT 10.2.0.' .. (i % 7), 'description', 'charge')
  redis.call('ZADD', 'rq:failed:' .. ARGV[1], 4102444800 + i, id)
end
redis.call('SADD', 'rq:queues', 'rq:queue:' .. ARGV[1])`;

async function overview(url, client) {
  const inspector = await connectInspector(url);
  await inspector.overview();
  await client.config('RESETSTAT');
  const rounds = 50;
  for (let round = 0; round < rounds; round += 1) await inspector.overview();
  const all = await commandStatistics(client);
  const microseconds = all.reduce((sum, one) => sum + one.microseconds, 0);
  print('overview: time of Redis', ms(microseconds / rounds / 1000), '≤ 1.2 ms');
  await inspector.close();
}

async function pages(site) {
  const addresses = {
    'the page with the overview': '',
    'a page of failed jobs': 'api/list?queue=queue-1&in=failed',
    'a job': 'api/job?id=queue-1-7',
    'failures by cause': 'api/failures',
    'a search that finds': 'api/search?q=status:failed+name:charge',
    'a search that finds nothing': 'api/search?q=status:failed+name:nothing',
    'a search in the data that finds nothing': 'api/search?q=status:failed+data.order:nothing',
  };
  for (const [what, path] of Object.entries(addresses)) {
    const took = [];
    let text = '';
    for (let round = 0; round < 7; round += 1) {
      await pause(300);
      const began = performance.now();
      const answer = await site.get(path);
      took.push(performance.now() - began);
      text = answer.text;
      if (answer.status !== 200) throw new Error(`${path}: ${answer.status} ${text}`);
    }
    const looked = /"looked":(\d+)/.exec(text)?.[1];
    const goal = what.includes('nothing') || what.includes('cause') ? '≤ 2000 ms' : '≤ 200 ms';
    print(
      what,
      ms(took.toSorted((a, b) => a - b)[3]),
      looked ? `${goal}, ${looked} entries` : goal,
    );
  }
}

async function watched(site, client, child, viewers) {
  const streams = Array.from({ length: viewers }, () => site.listen());
  await pause(3000);
  await client.config('RESETSTAT');
  const before = await processorOf(child);
  const redisBefore = await processorOfRedis(client);
  const began = performance.now();
  await pause(Number(values.seconds) * 1000);
  const seconds = (performance.now() - began) / 1000;
  const all = await commandStatistics(client);
  // Those inside of scripts count, too: what Redis is asked is what comes over the wire.
  const asked = all.filter(({ command }) => !INSIDE.includes(command));
  const calls = asked.reduce((sum, one) => sum + one.calls, 0) / seconds;
  const processor = (await processorOf(child)) - before;
  const ofRedis = (await processorOfRedis(client)) - redisBefore;
  print(`${viewers} viewers: calls to Redis`, `${calls.toFixed(1)} /s`, viewers ? 'as for 1' : '0');
  const share = (time) => `${(time / seconds / 10).toFixed(2)} %`;
  print(`${viewers} viewers: processor of the dashboard`, share(processor), '≤ 3 % for 20');
  print(`${viewers} viewers: processor of Redis`, share(ofRedis), '');
  for (const stop of streams) stop();
}

const INSIDE =
  'zcard,zcount,llen,hmget,hget,hgetall,exists,zrange,zrangebyscore,lindex,lrange,scard,sscan'.split(
    ',',
  );

function processorOf(child) {
  const answer = said(child).then(({ processor }) => processor);
  child.send('processor');
  return answer;
}

async function processorOfRedis(client) {
  const { used_cpu_user, used_cpu_sys } = await info(client, 'cpu');
  return (Number(used_cpu_user) + Number(used_cpu_sys)) * 1000;
}

function said(child) {
  return new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', () => reject(new Error('the dashboard has ended')));
  });
}

/** Goes in by the address that works once. */
async function enter(address) {
  const { origin } = new URL(address);
  const { headers } = await ask(address, {});
  const cookie = headers['set-cookie'][0].split(';')[0];
  return {
    get: (path) => ask(`${origin}/${path}`, { cookie }),
    listen() {
      const sent = request(
        `${origin}/api/live`,
        { headers: { cookie }, agent: false },
        (answer) => {
          answer.resume().on('error', () => {});
        },
      );
      sent.on('error', () => {});
      sent.end();
      return () => sent.destroy();
    },
  };
}

function ask(url, headers) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers }, (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      answer.on('end', () => resolve({ status: answer.statusCode, headers: answer.headers, text }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function ms(value) {
  return `${value.toFixed(2)} ms`;
}

function print(what, value, goal) {
  console.log(`${what.padEnd(52)} ${value.padStart(12)}   ${goal}`);
}
