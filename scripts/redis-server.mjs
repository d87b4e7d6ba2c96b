// Starts real Redis servers for the scripts, the benchmarks and the tests, each on a free port and in an
// empty folder. A server may be stopped, killed and started again at will; it ends with its parent.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { end, hasEnded, start } from './child-processes.mjs';

const HOST = '127.0.0.1';

/** Seconds that a server has to answer, or to end. */
const PATIENCE = 10;

/** What scripts/fetch-servers.mjs has fetched: a list of `{ name, version, command }`. */
export const FETCHED_SERVERS = fileURLToPath(
  new URL('../.cache/servers/installed.json', import.meta.url),
);

/** The first Redis-compatible server program on PATH: `{ command, version }`, or undefined. */
export function findRedisServer() {
  for (const command of ['redis-server', 'valkey-server']) {
    // Not on PATH, or not able to run here: the next one may be.
    const version = versionOf(command);
    if (version !== undefined) return { command, version };
  }
  return undefined;
}

/** The version of a server program ('7.0.15'), or undefined when it does not run. */
export function versionOf(command) {
  try {
    const text = execFileSync(command, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
    return /\bv=(\d+\.\d+\.\d+)/.exec(text)?.[1];
  } catch {
    return undefined;
  }
}

/** The servers that were fetched beside the system's own: `{ name, version, command }`, the name as 'valkey-9.1'. */
export function fetchedServers() {
  if (!existsSync(FETCHED_SERVERS)) return [];
  const list = JSON.parse(readFileSync(FETCHED_SERVERS, 'utf8'));
  const servers = list.map((one) => ({
    ...one,
    command: join(dirname(FETCHED_SERVERS), one.command),
  }));
  return servers.filter(({ command }) => existsSync(command));
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
 * Starts a server and waits until it answers. `appendonly` keeps its data over kill() and restart(),
 * `args` are further arguments of redis-server, `config` is the text of its settings file, `dir` is its folder in place
 * of one of its own. `server` is the name of a fetched one; by default it is that of the environment's
 * NESTJS_RQ_TEST_SERVER, or the system's own.
 */
export async function startRedisServer(options = {}) {
  // Another process may take the port between the look and the start: then another port will do.
  for (let attempt = 1; ; attempt++) {
    const server = new RunningRedis(await freePort(), options);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server.stop();
      if (attempt === 5 || !String(error).includes('in use')) throw error;
    }
  }
}

class RunningRedis {
  #options;
  #child;
  #ownDir;

  constructor(port, options) {
    this.host = HOST;
    this.port = port;
    this.url = `redis://${HOST}:${port}`;
    this.#options = options;
  }

  get pid() {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error(`The Redis on port ${this.port} is not running`);
    return pid;
  }

  async start() {
    const { appendonly = false, args = [], config, server } = this.#options;
    const dir =
      this.#options.dir ?? (this.#ownDir ??= await mkdtemp(join(tmpdir(), 'nestjs-rq-redis-')));
    const file = config === undefined ? [] : [join(dir, 'settings.conf')];
    // A server may have written into it what it has to know at its next start.
    if (config !== undefined && !existsSync(file[0])) await writeFile(file[0], config);
    const settings = {
      port: this.port,
      bind: HOST,
      dir,
      save: '',
      appendonly: appendonly ? 'yes' : 'no',
    };
    const child = start(
      serverCommand(server),
      [
        ...file,
        ...Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]),
        ...args,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    this.#child = child;
    child.once('exit', () => {
      if (this.#child === child) this.#child = undefined;
    });
    const closed = once(child, 'close');
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (log = (log + text).slice(-8000)));
    }
    const deadline = performance.now() + PATIENCE * 1000;
    while (!(await answers(this.port, child.pid))) {
      if (hasEnded(child)) {
        await closed; // Now the log is complete.
        throw new Error(`redis-server ended at once:\n${log}`);
      }
      if (performance.now() > deadline) {
        throw new Error(`The Redis on port ${this.port} gave no answer in ${PATIENCE} s:\n${log}`);
      }
      await pause(5);
    }
  }

  async stop() {
    await this.#end('SIGTERM');
    if (this.#ownDir !== undefined) await rm(this.#ownDir, { recursive: true, force: true });
  }

  async kill() {
    await this.#end('SIGKILL');
  }

  async restart() {
    await this.#end('SIGTERM');
    await this.start();
  }

  async #end(signal) {
    if (this.#child !== undefined) await end(this.#child, { signal, grace: PATIENCE });
  }
}

const commands = new Map();

function serverCommand(name = process.env.NESTJS_RQ_TEST_SERVER ?? '') {
  let command = commands.get(name);
  if (command !== undefined) return command;
  if (name === '') {
    command = findRedisServer()?.command;
    if (command === undefined) {
      throw new Error('redis-server is not on PATH: "npm run check" installs it or says how to');
    }
  } else {
    const servers = fetchedServers();
    command = servers.find((server) => server.name === name)?.command;
    if (command === undefined) {
      const known = servers.map((server) => server.name).join(', ') || 'none';
      throw new Error(
        `there is no server "${name}" (there are: ${known}). Fetch them: node scripts/fetch-servers.mjs`,
      );
    }
  }
  commands.set(name, command);
  return command;
}

/**
 * A port below those that the system gives to outgoing connections. From that range, a client that
 * tries again and again while its server is down could end up connected to itself.
 */
export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer();
    try {
      probe.listen(port, HOST);
      await once(probe, 'listening');
      return port;
    } catch {
      // Taken: the next one.
    } finally {
      probe.close();
    }
  }
  throw new Error('No free port found for a Redis server');
}

/** Whether our own process is ready for commands (or for a password) on the port. */
async function answers(port, pid) {
  const socket = connect(port, HOST);
  socket.setTimeout(1000, () => socket.destroy());
  socket.setEncoding('utf8').write('INFO server\r\n');
  try {
    for await (const reply of socket) {
      return reply.includes(`process_id:${pid}\r`) || reply.startsWith('-NOAUTH');
    }
  } catch {
    // Nobody listens there yet.
  }
  return false;
}
