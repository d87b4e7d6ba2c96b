// The one Redis of a benchmark run: a real redis-server on a free port, without persistence, all else at its
// defaults, in an empty folder that goes away with it.

import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';

/** @returns {Promise<{ port: number, client: Redis, stop(): Promise<void> }>} */
export async function startRedis() {
  const port = await freePort();
  const folder = await mkdtemp(join(tmpdir(), 'nestjs-rq-bench-'));
  const server = spawn(
    'redis-server',
    ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { cwd: folder, stdio: 'ignore' },
  );
  const exited = new Promise((resolve) => server.once('exit', resolve));
  const killOnExit = () => server.kill('SIGKILL');
  process.once('exit', killOnExit);

  await new Promise((resolve, reject) => {
    server.once('spawn', resolve);
    server.once('error', () =>
      reject(new Error('redis-server was not found on PATH: install Redis 6.2 or newer')),
    );
  });
  const client = new Redis({ port, host: '127.0.0.1', maxRetriesPerRequest: 100 });
  client.on('error', () => {}); // refused until the server listens; ioredis tries again
  await client.ping();

  return {
    port,
    client,
    async stop() {
      client.disconnect();
      process.off('exit', killOnExit);
      server.kill('SIGKILL');
      await exited;
      await rm(folder, { recursive: true, force: true });
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

function freePort() {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address();
      probe.close(() => resolve(port));
    });
  });
}
