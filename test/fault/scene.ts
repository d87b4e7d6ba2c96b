// The place where a fault happens: a Redis, worker processes and a producer, with a journal of all that they do. At
// the end of every test the scene is cleared up, and the workers must take part in that: each has to end by itself,
// with exit code 0, without a word on its output and without a rejection that nobody handled (I7, I8).
import { rmSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jest } from '@jest/globals';
import type { Redis, RedisOptions } from 'ioredis';
import {
  type ConnectionSettings,
  Connections,
  type Handler,
  Queue,
  type QueueOptions,
  RedisJobStore,
  type WorkerOptions,
} from '../../lib/index.js';
import { type Child, startChild } from '../support/children.js';
import { type RedisServer, type StartRedisOptions, startRedis } from '../support/redis-server.js';
import { eventually, within } from '../support/wait.js';
import { type AcknowledgedJob, type AuditRequest, audit } from './auditor.js';
import { type Entry, Journal } from './journal.js';
import { asUser, userArguments } from './users.js';

// Processes that start, die and take over again take their time on a busy machine. Milliseconds; they cost nothing when
// things go well.
jest.setTimeout(90_000);
const READY_AFTER = 30_000;
const TOLD_AFTER = 20_000;
const DRAINED_AFTER = 30_000;

/** What the handler `act` does with a job; see acting-worker.mjs. */
export interface Act {
  /** Kills its process. */
  readonly dies?: boolean;
  /** Gives the job these data for later attempts. */
  readonly updates?: Act;
  /** Milliseconds for which it blocks the event loop. */
  readonly blocks?: number;
  /** Blocks the event loop until there is a file of this path; see `Scene.file`. */
  readonly blocksUntil?: string;
  /** Milliseconds for which it runs. */
  readonly takes?: number;
  /** Runs until the worker is told to go on, or the job's signal aborts. */
  readonly waits?: boolean;
  /** Runs until the worker is told to go on, whatever the job's signal says. */
  readonly holds?: boolean;
  /** Stands in the journal. */
  readonly value?: number;
  /** Fails up to this attempt. */
  readonly fails?: number;
  /** Is put off for 200 ms by the worker with this label, each time. */
  readonly snoozesOn?: string;
  /** Cancels itself. */
  readonly cancels?: boolean;
}

export interface SceneWorkerOptions extends WorkerOptions {
  readonly connection?: ConnectionSettings;
  /** Default: the scene's Redis. Where it names no user, it is one with the rights of a worker. */
  readonly url?: string | RedisOptions;
  /** What limits the jobs of `act`, and another name for it. */
  readonly handler?: Partial<Pick<Handler, 'name' | 'concurrency' | 'rateLimit'>>;
}

export class Scene {
  readonly journal: Journal;
  /** Of the scene's Redis, or of the one that has taken its place. */
  client: Redis;
  private readonly dir = mkdtempSync(join(tmpdir(), 'rq-fault-'));
  private readonly workers: ActingWorker[] = [];
  private readonly producers: Connections[] = [];

  private constructor(readonly redis: RedisServer) {
    this.journal = new Journal(join(this.dir, 'journal'));
    this.client = redis.client();
  }

  /** Its Redis knows the users of users.ts. */
  static async open({ args = [], ...options }: StartRedisOptions = {}): Promise<Scene> {
    return Scene.at(await startRedis({ ...options, args: [...args, ...userArguments()] }));
  }

  /** The same at a server that was started with `userArguments`; it is stopped with the scene. */
  static at(redis: RedisServer): Scene {
    return new Scene(redis);
  }

  /** A producer's queue, with a connection of its own; where the place names no user, with the rights of a producer. */
  queue(name = 'work', settings: SceneQueueSettings = {}): Queue {
    const { url = this.redis.url, durability, ...connection } = settings;
    const connections = new Connections(asUser(url, 'producer'), connection);
    this.producers.push(connections);
    return new Queue(name, new RedisJobStore(connections), { durability });
  }

  /**
   * Starts a worker process that serves the queue `work`. Its lease is one second, so that tests are quick; with
   * `lease: undefined` it is the worker's own default.
   */
  async worker(label: string, settings: SceneWorkerOptions = {}): Promise<ActingWorker> {
    const worker = this.begin(label, settings);
    await worker.ready();
    return worker;
  }

  /** As `worker`, without waiting until it is ready. */
  begin(
    label: string,
    { connection, url, handler, ...options }: SceneWorkerOptions = {},
  ): ActingWorker {
    const queues = (options.queues ?? ['work']).map((queue) =>
      typeof queue === 'string' ? queue : queue.name,
    );
    const settings = {
      url: asUser(url ?? this.redis.url, 'worker'),
      journal: this.journal.path,
      label,
      queues,
      connection,
      handler,
      options: { lease: 1, ...options },
    };
    const child = startChild(new URL('./acting-worker.mjs', import.meta.url), {
      usesEngine: true,
      env: { ACTING_WORKER: JSON.stringify(settings) },
    });
    const worker = new ActingWorker(label, child);
    this.workers.push(worker);
    return worker;
  }

  /** Waits until the journal holds an entry of this kind (as many as `count`), and gives the last of them. */
  async when(
    event: Entry['event'],
    { id, worker, count = 1, timeout = TOLD_AFTER }: When = {},
  ): Promise<Entry> {
    const whose = `${id === undefined ? '' : ` of job ${id}`}${worker ? ` by ${worker}` : ''}`;
    const entries = await eventually(
      () => {
        const found = this.journal.of(event, { id, worker });
        return found.length >= count && found;
      },
      { what: `${count} × "${event}"${whose} in the journal`, timeout, every: 5 },
    );
    return entries[count - 1] as Entry;
  }

  /** The path of a file that is not there yet, for a handler that blocks its process until it is. */
  file(name: string): string {
    return join(this.dir, name);
  }

  /** Cuts the links of all other clients, or only those that listen to messages. */
  async cutLinks(kind: 'normal' | 'pubsub'): Promise<void> {
    await this.client.call('CLIENT', 'KILL', 'TYPE', kind, 'SKIPME', 'yes');
  }

  /** Waits until no job waits, runs or is scheduled. */
  async drained({ queues = ['work'], timeout = DRAINED_AFTER } = {}): Promise<void> {
    await eventually(async () => (await this.unsettled(queues)) === 0, {
      what: 'all jobs to be settled',
      timeout,
      every: 20,
    });
  }

  /** What the auditor has to say about the queue `work`. */
  async audit(
    acknowledged: readonly AcknowledgedJob[],
    request: Partial<AuditRequest> = {},
  ): Promise<string[]> {
    return audit({
      client: this.client,
      queues: ['work'],
      acknowledged,
      journal: this.journal.entries(),
      killed: this.workers.filter(({ wasKilled }) => wasKilled).length,
      ...request,
    });
  }

  /** Ends everything. @throws when a worker did not end well by itself */
  async close(): Promise<void> {
    const problems: string[] = [];
    await Promise.all(
      this.workers.map(async (worker) => {
        try {
          await worker.stop();
        } catch (error) {
          problems.push(String(error));
          await worker.child.kill();
        }
        const output = worker.child.output.trim();
        if (output !== '') problems.push(`${worker.label} wrote: ${output}`);
      }),
    );
    const rejections = this.journal.of('rejection');
    problems.push(...rejections.map(({ worker, message }) => `${worker} rejected: ${message}`));
    await Promise.all(this.producers.map((connections) => connections.close()));
    await this.redis.stop();
    this.journal.close();
    rmSync(this.dir, { recursive: true, force: true });
    if (problems.length > 0) throw new Error(problems.join('\n'));
  }

  /**
   * How many jobs wait for a worker, are taken by one, run, or are put off. All seen at one moment: between two looks a job
   * could go from where it is looked for next to where it was.
   */
  async unsettled(queues: readonly string[]): Promise<number> {
    return (await this.client.eval(UNSETTLED, 0, ...queues)) as number;
  }
}

/** In one step, since jobs move on; as a script, since Redis takes no MULTI while its memory is full. */
const UNSETTLED = `
local sum = 0
for _, queue in ipairs(ARGV) do
  local list = 'rq:queue:' .. queue
  sum = sum + redis.call('LLEN', list) + redis.call('LLEN', list .. ':intermediate')
    + redis.call('ZCARD', 'rq:wip:' .. queue) + redis.call('ZCARD', 'rq:scheduled:' .. queue)
    -- In lanes.
    + (tonumber(redis.call('HGET', 'rq:nrq:flags:' .. queue, 'n')) or 0)
end
return sum`;

export interface SceneQueueSettings extends ConnectionSettings, Pick<QueueOptions, 'durability'> {
  readonly url?: string | RedisOptions;
}

interface When {
  readonly id?: string;
  readonly worker?: string;
  readonly count?: number;
  readonly timeout?: number;
}

/** A process that runs `acting-worker.mjs`. */
export class ActingWorker {
  wasKilled = false;
  private isStopping = false;

  constructor(
    readonly label: string,
    readonly child: Child,
  ) {}

  async ready(): Promise<void> {
    await this.child.waitFor<{ ready?: boolean }>(({ ready }) => ready === true, {
      what: 'the worker to be ready',
      timeout: READY_AFTER,
    });
  }

  /** Lets all jobs go on that wait, those that come later, too; or the one with this id. */
  go(id?: string): void {
    this.child.send({ go: id ?? 'all' });
  }

  /**
   * Asks it to stop, and gives the milliseconds until the process has ended. May be called again.
   * @throws when it does not end by itself, or not with code 0
   */
  async stop({ timeout = 20_000 } = {}): Promise<number> {
    if (this.wasKilled) return 0;
    const begun = performance.now();
    if (!this.isStopping) this.child.send({ stop: true });
    this.isStopping = true;
    const { code, signal } = await within(this.child.exited, {
      what: `${this.label} to end by itself`,
      timeout,
    });
    if (code !== 0) {
      throw new Error(`${this.label} ended with ${code ?? signal}:\n${this.child.output}`);
    }
    return performance.now() - begun;
  }

  /** Lets it enqueue jobs while Redis is down, and gives the names of the errors. */
  async enqueueInVain(count: number): Promise<unknown[]> {
    this.child.send({ enqueue: count });
    const answer = await this.child.waitFor<{ rejected?: unknown[] }>(
      ({ rejected }) => rejected !== undefined,
      { what: 'all calls to be refused' },
    );
    return answer.rejected ?? [];
  }

  /** Waits until it has the answers to all commands that it has sent so far. */
  async hasAnswers(): Promise<void> {
    const ask = ++this.questions;
    this.child.send({ ask });
    await this.child.waitFor<{ asked?: number }>(({ asked }) => asked === ask, {
      what: 'all answers to have arrived',
    });
  }

  /** Sets the clock of its machine, so many milliseconds from the right time. */
  shiftClock(milliseconds: number): void {
    this.child.send({ clock: milliseconds });
  }

  async kill(): Promise<void> {
    this.wasKilled = true;
    await this.child.kill();
  }

  /** SIGSTOP: it stands still, as a machine that swaps or a debugged process. */
  freeze(): void {
    process.kill(this.child.pid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.child.pid, 'SIGCONT');
  }

  /** Its process, measured after a garbage collection. */
  async measure(): Promise<Measurement> {
    const measure = ++this.measurements;
    this.child.send({ measure });
    return this.child.waitFor<Measurement>(({ measured }) => measured === measure, {
      what: 'a measurement',
    });
  }

  private measurements = 0;
  private questions = 0;
}

export interface Measurement {
  readonly measured: number;
  /** Bytes. */
  readonly heap: number;
  /** Kinds of timers, sockets and so on that keep it running, with their number. */
  readonly resources: Readonly<Record<string, number>>;
}
