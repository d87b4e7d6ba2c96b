// The one Redis of a benchmark run: a real redis-server on a free port, without persistence, all else at its
// defaults, in an empty folder that goes away with it.

import { Redis } from 'ioredis';
import { startRedisServer } from '../../scripts/redis-server.mjs';

/** @returns {Promise<{ port: number, client: Redis, stop(): Promise<void> }>} */
export async function startRedis() {
  const server = await startRedisServer();
  const client = new Redis({ port: server.port, host: server.host, maxRetriesPerRequest: 100 });
  client.on('error', () => {});
  await client.ping();

  return {
    port: server.port,
    client,
    async stop() {
      client.disconnect();
      await server.stop();
    },
  };
}

/** A section of INFO as an object of texts. */
export async function info(client, section) {
  const text = await client.info(section);
  return Object.fromEntries(
    text
      .split('\r\n')
      .filter((line) => line.includes(':'))
      .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1)]),
  );
}

/** Calls and microseconds per command since the last CONFIG RESETSTAT, without those in `except`. */
export async function commandStatistics(client, except = ['info', 'config|resetstat']) {
  const section = await info(client, 'commandstats');
  return Object.entries(section)
    .map(([key, text]) => ({
      command: key.replace('cmdstat_', ''),
      calls: Number(/calls=(\d+)/.exec(text)[1]),
      microseconds: Number(/usec=(\d+)/.exec(text)[1]),
    }))
    .filter(({ command }) => !except.includes(command));
}
