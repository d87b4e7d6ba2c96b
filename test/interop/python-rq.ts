import type { ChildProcess, ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { type Interface, createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { start } from '../../scripts/child-processes.mjs';
import { eventually } from '../support/wait.js';
import { type Installation, chosenRq } from './installed-rq.js';

export { describeInterop, newestRq } from './installed-rq.js';

/**
 * The Python half of the interoperability tests: a real RQ, in each version that `describeInterop` runs a file with.
 * `run` executes a snippet of Python against it, `worker` starts a real `rq worker`, `rq` runs any other command of
 * its command line.
 */

const HERE = fileURLToPath(new URL('.', import.meta.url));
const JSON_SERIALIZER = ['-S', 'rq.serializers.JSONSerializer'];

/** What an `rq worker` is started with. */
export interface PythonWorkerOptions {
  readonly name?: string;
  readonly burst?: boolean;
  readonly scheduler?: boolean;
  /** `false`: RQ's default, pickle. */
  readonly json?: boolean;
  /** Further options of the command line. */
  readonly args?: readonly string[];
}

/** RQ on the Redis at `url`. Close it to end every process it started. */
export class PythonRq {
  private readonly url: string;
  private readonly workers: PythonWorker[] = [];
  private bridge: Bridge | undefined;

  /** @param modules the folder of the functions that jobs call; default: this one, with `tasks.py` */
  constructor(
    url: string,
    private readonly modules = HERE,
    private readonly found: Installation = chosenRq(),
  ) {
    this.url = url;
  }

  /** The version of RQ, of this object as of all that it starts: '2.12.0'. */
  get version(): string {
    return this.found.version;
  }

  /**
   * Runs the body of a Python function and gives what it returns. At hand: `given` (the input), `connection`,
   * `queue(name)`, `fetch(id)`, `registry(kind, name)` and RQ's classes (see `bridge.py`).
   * @throws Error with Python's traceback
   */
  run<T = unknown>(code: string, given?: unknown): Promise<T> {
    this.bridge ??= new Bridge(this.spawn([`${HERE}bridge.py`]));
    return this.bridge.run(code, given) as Promise<T>;
  }

  /** Starts `rq worker`, with the JSON serializer, and waits until it listens (a burst worker: until it ended). */
  async worker(
    queues: string | readonly string[],
    options: PythonWorkerOptions = {},
  ): Promise<PythonWorker> {
    const child = this.spawn([
      '-m',
      'rq.cli',
      'worker',
      '--url',
      this.url,
      ...(options.json === false ? [] : JSON_SERIALIZER),
      ...(options.name ? ['--name', options.name] : []),
      ...(options.burst ? ['--burst'] : []),
      ...(options.scheduler ? ['--with-scheduler'] : []),
      ...(options.args ?? []),
      ...(typeof queues === 'string' ? [queues] : queues),
    ]);
    const worker = new PythonWorker(child);
    this.workers.push(worker);
    await (options.burst ? worker.done() : worker.listening());
    return worker;
  }

  /** Runs another command of RQ's command line and gives what it printed. */
  async rq(command: string, ...args: string[]): Promise<string> {
    const result = await this.tryRq(command, ...args);
    if (result.code !== 0)
      throw new Error(`rq ${command} exited with ${result.code}:\n${result.output}`);
    return result.output;
  }

  /** The same for a command that may fail. */
  async tryRq(
    command: string,
    ...args: string[]
  ): Promise<{ code: number | null; output: string }> {
    return finished(this.spawn(['-m', 'rq.cli', command, '--url', this.url, ...args]));
  }

  /** Runs a Python program from its file, with the address in `REDIS_URL`, and gives what it printed. */
  async program(file: string): Promise<string> {
    const { code, output } = await finished(this.spawn([file]));
    if (code !== 0) throw new Error(`${file} exited with ${code}:\n${output}`);
    return output;
  }

  /** Ends the workers that were started so far. */
  async killWorkers(): Promise<void> {
    await Promise.all(this.workers.splice(0).map((worker) => worker.kill()));
  }

  async close(): Promise<void> {
    this.bridge?.close();
    await this.killWorkers();
  }

  private spawn(args: string[]): ChildProcessWithoutNullStreams {
    // In a group of its own: a worker's scheduler is ended with it.
    const child = start(this.found.python, args, {
      cwd: this.modules,
      env: {
        PATH: process.env['PATH'],
        LC_ALL: 'C.UTF-8',
        PYTHONPATH: `${this.found.path}:${this.modules}`,
        PYTHONNOUSERSITE: '1',
        PYTHONDONTWRITEBYTECODE: '1',
        PYTHONUNBUFFERED: '1',
        INTEROP_REDIS_URL: this.url,
        REDIS_URL: this.url,
      },
    });
    return child as ChildProcessWithoutNullStreams;
  }
}

/** A running `rq worker`, seen as its processes: the worker, its work horse and its scheduler. */
export class PythonWorker {
  /** The exit code, once all output is read. */
  readonly ended: Promise<number | null>;
  /** Everything it logged so far. */
  readonly output: () => string;
  private readonly child: ChildProcess;

  constructor(child: ChildProcess) {
    this.child = child;
    this.output = collect(child);
    this.ended = once(child, 'close').then(([code]) => code as number | null);
  }

  get pid(): number {
    return this.child.pid!;
  }

  get exited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** The process that runs the current job. */
  horse(): Promise<number> {
    return eventually(() => this.children().find((pid) => groupOf(pid) === pid), {
      what: 'a work horse',
    });
  }

  async listening(): Promise<void> {
    await eventually(() => this.exited || this.output().includes('*** Listening on'), {
      what: 'the rq worker to listen',
      timeout: 30_000,
    });
    if (this.exited) throw new Error(`rq worker ended at once:\n${this.output()}`);
  }

  /** Its work is over and its death is registered; the process itself takes a second more to end. */
  async done(): Promise<void> {
    await eventually(() => this.exited || /unsubscribing from channel/i.test(this.output()), {
      timeout: 60_000,
      what: 'the rq worker to be done',
    });
  }

  /** Warm shutdown: it finishes its job first. */
  async stop(): Promise<void> {
    if (!this.exited) process.kill(this.pid, 'SIGTERM');
    await this.done();
  }

  /** The machine is gone: worker, work horse and scheduler end at once, with no word to Redis. */
  async kill(): Promise<void> {
    if (!this.exited) {
      // One that stands still starts no further work horse.
      signal(this.pid, 'SIGSTOP');
      await eventually(() => /[TZX]/.test(statusOf(this.pid)?.[0] ?? 'X'), {
        what: 'the rq worker to stand still',
      });
    }
    const horses = this.children();
    // The worker first: it would tell Redis that its work horse has died.
    if (!this.exited) signal(-this.pid, 'SIGKILL');
    for (const horse of horses) signal(horse, 'SIGKILL');
    await this.ended;
  }

  private children(): number[] {
    try {
      return readdirSync(`/proc/${this.pid}/task`).flatMap((thread) =>
        readFileSync(`/proc/${this.pid}/task/${thread}/children`, 'utf8')
          .split(' ')
          .filter((pid) => pid !== '')
          .map(Number),
      );
    } catch {
      return [];
    }
  }
}

/** One Python that answers snippets, in order. */
class Bridge {
  private readonly lines: Interface;
  private readonly waiting: Waiter[] = [];

  constructor(private readonly child: ChildProcessWithoutNullStreams) {
    const output = collect(child, 'stderr');
    this.lines = createInterface({ input: child.stdout });
    this.lines.on('line', (line) => {
      const { value, error } = JSON.parse(line) as { value?: unknown; error?: string };
      const first = this.waiting.shift();
      if (error === undefined) first?.resolve(value);
      else first?.reject(new Error(error));
    });
    child.once('close', () => {
      for (const waiter of this.waiting.splice(0)) {
        waiter.reject(new Error(`Python ended:\n${output()}`));
      }
    });
  }

  run(code: string, input: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(`${JSON.stringify({ code, input })}\n`);
    });
  }

  close(): void {
    this.child.stdin.end();
    this.lines.close();
  }
}

interface Waiter {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

function collect(child: ChildProcess, only?: 'stderr'): () => string {
  let text = '';
  const add = (chunk: Buffer) => (text += chunk.toString());
  child.stderr?.on('data', add);
  if (!only) child.stdout?.on('data', add);
  return () => text;
}

async function finished(child: ChildProcess): Promise<{ code: number | null; output: string }> {
  const output = collect(child);
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, output: output() };
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended already.
  }
}

/** Whether the process does anything: one that has ended may be listed until its parent takes notice. */
export function isRunning(pid: number): boolean {
  const state = statusOf(pid)?.[0];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** The process group: work horses have one of their own, the scheduler shares the worker's. */
function groupOf(pid: number): number {
  return Number(statusOf(pid)?.[2]);
}

/** What Linux says of a process: its state, its parent, its group, ... */
function statusOf(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // pid (name) state parent group ...: the name may hold spaces, nothing after it does.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}
