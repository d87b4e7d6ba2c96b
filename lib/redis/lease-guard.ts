import { Worker as Thread } from 'node:worker_threads';

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

  start(): void {
    const { connection, registries, token, lease } = this.settings;
    const workerData = { connection, registries, token, lease, state: this.state };
    this.thread = new Thread(new URL('./lease-guard-thread.mjs', import.meta.url), { workerData });
    this.thread.unref();
    // Without it, leases are kept by the main thread alone: jobs that block it may run twice, none is lost.
    this.thread.on('error', () => (this.thread = undefined));
  }

  /**
   * The main thread lives; to be called every third of a lease.
   * @param deadline when the last of the running jobs ends at the latest (milliseconds since the epoch)
   */
  beat(deadline: number): void {
    Atomics.add(this.beats, 0, 1n);
    this.deadline[0] = deadline;
  }

  /** A job starts that may take until then. */
  allowUntil(deadline: number): void {
    if (deadline > (this.deadline[0] as number)) this.deadline[0] = deadline;
  }

  async stop(): Promise<void> {
    await this.thread?.terminate();
  }
}

export interface LeaseGuardSettings {
  readonly connection: PlainConnection;
  /** Keys of the started registries of the queues that are served. */
  readonly registries: readonly string[];
  /** Begins the executions that are ours. */
  readonly token: string;
  /** Milliseconds. */
  readonly lease: number;
}

/** How to connect, in a form that can be handed to a thread. */
export interface PlainConnection {
  readonly url: string | undefined;
  readonly options: Readonly<Record<string, unknown>>;
}

/** What of connection options can be handed to a thread: everything but functions and objects that hold some. */
export function plainOptions(options: object): Record<string, unknown> {
  const plain: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(options)) {
    try {
      plain[name] = structuredClone(value);
    } catch {
      // A retry strategy, a TLS context: the thread does without.
    }
  }
  return plain;
}
