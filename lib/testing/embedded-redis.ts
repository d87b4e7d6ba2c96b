import { Worker as Thread } from 'node:worker_threads';
import { EMBEDDED_REDIS_LINE, EmbeddedRedisError, type EmbeddedRedisProblem } from './errors.js';

/**
 * A Redis inside the process that runs the tests: js-redis-server, in a thread of its own. There it neither blocks the
 * application nor meets the test runner's module registry. It has a clock of its own, which can be moved forward. The
 * thread never keeps the process alive.
 */
export class EmbeddedRedis {
  private readonly ahead = new BigInt64Array(new SharedArrayBuffer(8));
  private readonly requests = new Map<number, Request>();
  private thread: Thread | undefined;
  private lastRequest = 0;

  /**
   * Opens an empty server and gives its URL; several of them share the thread and the clock, nothing else.
   * @throws EmbeddedRedisError when js-redis-server is not installed in the right version, or does not start
   */
  async open(): Promise<string> {
    this.thread ??= this.start();
    const { thread } = this;
    // While somebody waits for it, the process must not end for lack of other work.
    thread.ref();
    const request = (this.lastRequest += 1);
    try {
      const port = await new Promise<number>((resolve, reject) => {
        this.requests.set(request, { resolve, reject });
        thread.postMessage({ request });
      });
      return `redis://127.0.0.1:${port}`;
    } finally {
      this.requests.delete(request);
      if (this.requests.size === 0) thread.unref();
    }
  }

  /** Moves the clock forward by so many milliseconds, at once. */
  advance(milliseconds: number): void {
    Atomics.add(this.ahead, 0, BigInt(Math.ceil(milliseconds)));
  }

  /** Ends the servers with all that they hold; harmless when there is none. */
  async close(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    await thread?.terminate();
  }

  private start(): Thread {
    const thread = new Thread(new URL('./embedded-redis-thread.mjs', import.meta.url), {
      workerData: { ahead: this.ahead, line: EMBEDDED_REDIS_LINE },
    });
    thread.on('message', ({ request, port, problem }: Answer) => {
      const waiting = this.requests.get(request);
      if (problem) waiting?.reject(new EmbeddedRedisError(problem));
      else waiting?.resolve(port);
    });
    thread.on('error', (error) => this.failAll(String(error)));
    thread.on('exit', () => {
      if (this.thread === thread) this.thread = undefined;
      this.failAll('its thread has ended');
    });
    thread.unref();
    return thread;
  }

  private failAll(message: string): void {
    const error = new EmbeddedRedisError({ kind: 'start', message });
    for (const { reject } of this.requests.values()) reject(error);
  }
}

interface Request {
  readonly resolve: (port: number) => void;
  readonly reject: (error: Error) => void;
}

interface Answer {
  readonly request: number;
  readonly port: number;
  readonly problem?: EmbeddedRedisProblem;
}
