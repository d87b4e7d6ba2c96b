// A real Redis of the test's own: `startRedis()` gives a server on a free port with an empty folder,
// which the test may stop, kill and start again as it likes. Nothing of it outlives the test.
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis, type RedisOptions } from 'ioredis';
import { endsWithUs } from './ends-with-us.js';
import { eventually } from './wait.js';

export interface StartRedisOptions {
  /** Keeps an append-only file, so that the data survives `kill()` and `restart()`. */
  appendonly?: boolean;
  /** Further arguments of redis-server: `['--maxmemory', '10mb']`. */
  args?: string[];
  /** The data folder; by default a new one, removed by `stop()`. */
  dir?: string;
}

export interface RedisServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** Of the running process: another one after `restart()`. */
  readonly pid: number;
  /** Ends the server and all its clients, and removes its data. May be called more than once. */
  stop(): Promise<void>;
  /** SIGKILL: the server has no chance to say goodbye. `restart()` brings it back. */
  kill(): Promise<void>;
  /** Starts the server again on the same port and folder, after ending it orderly if it runs. */
  restart(): Promise<void>;
  /** A new ioredis client, closed by `stop()`. It reconnects by itself, as ioredis does. */
  client(options?: RedisOptions): Redis;
}

const host = '127.0.0.1';

/** Starts a redis-server (or valkey-server) and waits until it answers. */
export async function startRedis(options: StartRedisOptions = {}): Promise<RedisServer> {
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

class RunningRedis implements RedisServer {
  readonly host = host;
  readonly url: string;
  private child: ChildProcess | undefined;
  private ownDir: string | undefined;
  private readonly clients = new Set<Redis>();

  constructor(
    readonly port: number,
    private readonly options: StartRedisOptions,
  ) {
    this.url = `redis://${host}:${port}`;
  }

  get pid(): number {
    const pid = this.child?.pid;
    if (pid === undefined) throw new Error(`The Redis on port ${this.port} is not running`);
    return pid;
  }

  async start(): Promise<void> {
    const { appendonly = false, args = [] } = this.options;
    const dir = this.options.dir ?? (this.ownDir ??= await mkdtemp(join(tmpdir(), 'rq-redis-')));
    const settings = ['--port', String(this.port), '--bind', host, '--dir', dir, '--save', ''];
    const child = spawn(
      serverCommand(),
      [...settings, '--appendonly', appendonly ? 'yes' : 'no', ...args],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    endsWithUs(child);
    this.child = child;
    child.once('exit', () => {
      if (this.child === child) this.child = undefined;
    });
    const closed = once(child, 'close');
    let log = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => (log = (log + text).slice(-8000)));
    }
    const what = `the Redis on port ${this.port} to answer`;
    const state = await eventually(
      async () => (this.child === child ? (await answers(this.port, this.pid)) && 'up' : 'ended'),
      { what, every: 5 },
    );
    if (state === 'ended') {
      await closed; // Now the log is complete.
      throw new Error(`redis-server ended at once:\n${log}`);
    }
  }

  async stop(): Promise<void> {
    for (const client of this.clients) client.disconnect();
    this.clients.clear();
    await this.end('SIGTERM');
    if (this.ownDir !== undefined) await rm(this.ownDir, { recursive: true, force: true });
  }

  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  async restart(): Promise<void> {
    await this.end('SIGTERM');
    await this.start();
  }

  client(options: RedisOptions = {}): Redis {
    // While ioredis is reconnecting, disconnect() leaves a timer of this length (2 s) behind, because
    // it waits for the end of the old connection, which has ended already.
    const client = new Redis(this.port, host, { disconnectTimeout: 50, ...options });
    // A test that kills its server expects connection errors: ioredis would print them.
    client.on('error', () => {});
    this.clients.add(client);
    return client;
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const child = this.child;
    if (child === undefined) return;
    const insist = setTimeout(() => child.kill('SIGKILL'), 5_000);
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    clearTimeout(insist);
  }
}

let command: string | undefined;

function serverCommand(): string {
  command ??= ['redis-server', 'valkey-server'].find((candidate) => {
    try {
      execFileSync(candidate, ['--version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
  if (command === undefined) {
    throw new Error('redis-server is not on PATH: "npm run check" installs it or says how to');
  }
  return command;
}

/**
 * A port below those that the system gives to outgoing connections. From that range, a client that
 * tries again and again while its server is down could end up connected to itself.
 */
async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const port = 10_000 + Math.floor(Math.random() * 20_000);
    const probe = createServer();
    try {
      probe.listen(port, host);
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
async function answers(port: number, pid: number): Promise<boolean> {
  const socket = connect(port, host);
  socket.on('error', () => {});
  try {
    await once(socket, 'connect');
    socket.write('INFO server\r\n');
    const [reply] = (await once(socket, 'data')) as [Buffer];
    const text = reply.toString();
    return text.includes(`process_id:${pid}\r`) || text.startsWith('-NOAUTH');
  } finally {
    socket.destroy();
  }
}
