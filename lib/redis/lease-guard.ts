import { Worker as Thread } from 'node:worker_threads';
import * as messages from './messages.js';
import type { ThreadConnection } from './thread-connection.js';

/**
 * Keeps leases while a handler blocks the event loop (long computations in JavaScript). The main thread shows that it
 * lives by a counter in shared memory; a second thread watches it and, when it stands still, renews the leases in its
 * place, for as long as the running jobs' timeouts allow. A process that is dead or stopped renews nothing: its thread
 * is dead or stopped, too.
 */
export class LeaseGuard {
  private readonly state = new SharedArrayBuffer(16);
  private readonly beats = new BigInt64Array(this.state, 0, 1);
  private readonly deadline = new Float64Array(this.state, 8, 1);
  private thread: Thread | undefined;

  constructor(private readonly settings: LeaseGuardSettings) {}

  /** Why there is no guard, for the log; undefined when there is one. */
  get problem(): string | undefined {
    const { connection } = this.settings;
    return 'problem' in connection ? messages.noLeaseGuard(connection.problem) : undefined;
  }

  start(): void {
    const { connection, registries, token, lease } = this.settings;
    if ('problem' in connection) return;
    const { options } = connection;
    const workerData = { options, registries, token, lease, state: this.state };
    this.thread = new Thread(new URL('./lease-guard-thread.mjs', import.meta.url), { workerData });
    this.thread.unref();
    // Without it, leases are kept by the main thread alone: jobs that block it may run twice, none is lost.
    this.thread.on('error', () => (this.thread = undefined));
  }

  /**
   * The main thread lives; to be called every third of a lease.
   * @param deadline when the last of the running jobs ends at the latest, by the clock of `performance.now()`
   */
  beat(deadline: number): void {
    Atomics.add(this.beats, 0, 1n);
    this.deadline[0] = deadline + SHARED_CLOCK;
  }

  /** A job starts that may take until then, by the same clock. */
  allowUntil(deadline: number): void {
    const shared = deadline + SHARED_CLOCK;
    if (shared > (this.deadline[0] as number)) this.deadline[0] = shared;
  }

  async stop(): Promise<void> {
    await this.thread?.terminate();
  }
}

export interface LeaseGuardSettings {
  readonly connection: ThreadConnection;
  /** Keys of the started registries of the queues that are served. */
  readonly registries: readonly string[];
  /** Begins the executions that are ours. */
  readonly token: string;
  /** Milliseconds. */
  readonly lease: number;
}

/** What leads from `performance.now()`, which each thread counts from its own start, to the clock that all share. */
const SHARED_CLOCK = Number(process.hrtime.bigint()) / 1e6 - performance.now();
