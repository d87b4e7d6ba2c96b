// Which Redis a script works with: the one of REDIS_URL, else a redis-server or valkey-server of this
// machine, started on a free port with nothing kept on disk, else (demo and samples) an in-memory stand-in.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import { setTimeout as pause } from 'node:timers/promises';
import { start } from './child-processes.mjs';

/** The first Redis-compatible server program on PATH: `{ command, version }`, or undefined. */
export function findRedisServer() {
  for (const command of ['redis-server', 'valkey-server']) {
    try {
      const text = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
      const version = /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1];
      if (version !== undefined) return { command, version };
    } catch {
      // Not on PATH, or not able to run here: the next one may be.
    }
  }
  return undefined;
}

/** Whether `version` ('7.0.15') is at least `minimum` ('6.2'). */
export function isAtLeast(version, minimum) {
  const parts = version.split('.').map(Number);
  for (const [index, part] of minimum.split('.').map(Number).entries()) {
    if (parts[index] !== part) return parts[index] > part;
  }
  return true;
}

/**
 * Opens a Redis for 'the demo', say: `{ url, notice }`. What it starts is ended with the other children.
 */
export async function openRedisFor(purpose) {
  const given = process.env.REDIS_URL;
  if (given) return { url: given, notice: 'the one of REDIS_URL' };

  const found = findRedisServer();
  if (found !== undefined) {
    const port = await startServer(found.command);
    return {
      url: `redis://127.0.0.1:${port}`,
      notice: `${found.command} ${found.version}, started on port ${port} for ${purpose}`,
    };
  }
  return {
    url: await startStandIn(),
    notice: `no redis-server on PATH: in-memory stand-in, not Redis: for ${purpose} only`,
  };
}

async function startServer(command) {
  const port = await freePort();
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: tmpdir() };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = start(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  for (const stream of [server.stdout, server.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-4000)));
  }
  const deadline = Date.now() + 10_000;
  while (!(await answers(port))) {
    if (server.exitCode !== null || Date.now() > deadline) {
      throw new Error(`${command} did not start on port ${port}:\n${log}`);
    }
    await pause(20);
  }
  return port;
}

async function startStandIn() {
  const script = fileURLToPath(new URL('./redis-stand-in.mjs', import.meta.url));
  const server = start(process.execPath, [script], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const failed = once(server, 'exit').then(([code]) => {
    throw new Error(`The in-memory stand-in for Redis did not start (exit code ${code})`);
  });
  const [message] = await Promise.race([once(server, 'message'), failed]);
  failed.catch(() => {});
  return message.url;
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}

async function answers(port) {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  try {
    await once(socket, 'connect');
    socket.write('PING\r\n');
    const [reply] = await once(socket, 'data');
    return reply.toString().startsWith('+PONG');
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
