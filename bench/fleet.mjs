// What many queues and workers cost a Redis that has nothing to do: `node bench/fleet.mjs`. It starts 100 queues and 200
// workers (each with connections of its own, as in a process of its own) in a few processes, waits until they sleep, and
// measures for a while. docs/scaling.md has the figures, and what follows for more of them.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { info, startRedis } from './harness/redis-server.mjs';

const QUEUES = 100;
const WORKERS = 200;
const PROCESSES = 5;
/** Seconds. */
const SETTLING = 15;
const MEASURED = 60;

if (process.env.FLEET) await beAPart(JSON.parse(process.env.FLEET));
else await measure();

async function measure() {
  const redis = await startRedis();
  const empty = await look(redis.client);
  const parts = Array.from({ length: PROCESSES }, (_, number) => {
    const FLEET = JSON.stringify({ url: `redis://127.0.0.1:${redis.port}`, number });
    return fork(fileURLToPath(import.meta.url), { env: { ...process.env, FLEET } });
  });
  await Promise.all(parts.map((part) => once(part, 'message')));
  await pause(SETTLING * 1000);
  const before = await look(redis.client);
  await pause(MEASURED * 1000);
  const after = await look(redis.client);
  for (const part of parts) part.kill();
  await redis.stop();
  const perSecond = (name) => (after[name] - before[name]) / MEASURED;
  console.log({
    queues: QUEUES,
    workers: WORKERS,
    links: after.links - empty.links,
    commandsPerSecond: perSecond('commands').toFixed(1),
    processorOfRedis: `${(perSecond('cpu') * 100).toFixed(2)} %`,
    kilobytesPerWorker: ((after.memory - empty.memory) / WORKERS / 1024).toFixed(1),
  });
}

async function look(client) {
  const number = async (section, name) => Number((await info(client, section))[name]);
  return {
    links: await number('clients', 'connected_clients'),
    commands: await number('stats', 'total_commands_processed'),
    memory: await number('memory', 'used_memory'),
    cpu: (await number('cpu', 'used_cpu_user')) + (await number('cpu', 'used_cpu_sys')),
  };
}

async function beAPart({ url, number }) {
  const { Connections, HandlerRegistry, RedisJobStore, Worker } = await import('../dist/index.js');
  const share = WORKERS / PROCESSES;
  for (let index = 0; index < share; index += 1) {
    const queue = `queue-${(number * share + index) % QUEUES}`;
    const connections = new Connections(url);
    await connections.connect();
    const handlers = new HandlerRegistry();
    handlers.register({ queue, name: 'noop', owner: 'fleet', run: () => undefined });
    await new Worker(new RedisJobStore(connections), handlers).start();
  }
  process.send('started');
}
