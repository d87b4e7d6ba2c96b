// On what a result was measured: the machine and the versions, without names of hosts or folders.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, totalmem } from 'node:os';
import { info } from './redis-server.mjs';

export async function describeMachine(redis) {
  const server = await info(redis, 'server');
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGigabytes: Math.round(totalmem() / 2 ** 30),
    platform: `${process.platform} ${process.arch}`,
    node: process.version,
    redis: server.redis_version,
    'nestjs-rq': JSON.parse(readFileSync(new URL('../../package.json', import.meta.url))).version,
    bullmq: installedVersion('bullmq'),
    ioredis: installedVersion('ioredis'),
  };
}

function installedVersion(name) {
  const entry = createRequire(import.meta.url).resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`));
  return JSON.parse(readFileSync(`${folder}/node_modules/${name}/package.json`)).version;
}
