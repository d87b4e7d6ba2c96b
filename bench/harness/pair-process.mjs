// The child process in which one build of a pair is measured: `pair-process.mjs FOLDER PORT WORKLOAD`, where FOLDER is the
// checkout of the build. Asked, it runs the workload once and answers with what it took per job.

import { Redis } from 'ioredis';
import { answer } from './children.mjs';
import { info } from './redis-server.mjs';
import { WORKLOADS } from './pair-workloads.mjs';

const [folder, port, name] = process.argv.slice(2);
const adapter = await import(`${folder}/bench/adapters/nestjs-rq.mjs`);
const redis = new Redis({ port: Number(port), host: '127.0.0.1' });

answer(async () => {
  const work = await WORKLOADS[name](adapter, Number(port), redis);
  await work.prepare();
  globalThis.gc();
  const server = await serverMicroseconds();
  const memory = await usedMemory();
  const client = process.cpuUsage();
  const begin = performance.now();
  await work.run();
  const seconds = (performance.now() - begin) / 1000;
  const { user, system } = process.cpuUsage(client);
  const spent = (await serverMicroseconds()) - server;
  const grown = (await usedMemory()) - memory;
  await work.close();
  const { jobs } = work;
  return {
    jobs,
    client: (user + system) / jobs,
    server: spent / jobs,
    rate: jobs / seconds,
    memory: grown / jobs,
  };
});

async function serverMicroseconds() {
  const { used_cpu_user: user, used_cpu_sys: system } = await info(redis, 'cpu');
  return (Number(user) + Number(system)) * 1e6;
}

/** Bytes. */
async function usedMemory() {
  return Number((await info(redis, 'memory')).used_memory);
}
