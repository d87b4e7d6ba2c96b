import { Worker as Thread } from 'node:worker_threads';
import type { RedisAccess } from './access.js';
import { LEASE_GUARD_PROGRAM } from './lease-guard-program.js';
import { GuardedRuns, type RunsOfQueue } from './guarded-runs.js';
import type { GuardData, GuardPlace, GuardReport, GuardedScript } from './lease-guard-thread.js';
import * as troubles from './troubles.js';
import type { RenewalAddress } from './renewal-link.js';
import { renewalAddress, renewalLogin } from './thread-connection.js';

/**
 * Keeps leases while a handler blocks the event loop (long computations in JavaScript).
 *
 * 1. A worker renews the leases of its jobs itself. Every third of a lease it also counts up in memory that it shares
 *    with a second thread: a sign that it lives.
 * 2. A job blocks the event loop. The worker can neither renew nor count.
 * 3. The second thread sees that the counter stands still, and renews the leases in the worker's place.
 * 4. It does so for each running job until the job's timeout has passed, and for what is claimed and does not run yet
 *    until the last of these timeouts has.
 * 5. If the whole process is dead or frozen, so is the second thread. The leases end, and other workers run the jobs.
 *
 * For example a lease of 15 seconds and a job that computes for 60 seconds without a pause: nobody else gets the job.
 *
 * A lease is a worker's hold on a job that it runs; when it ends, others take the job. When the second thread cannot do
 * its work, the observer of `start` is told, for the log. The thread tries again; when it has died, no other is started.
 */
export class LeaseGuard {
  private readonly runs = new GuardedRuns((memory) => this.thread?.postMessage(memory));
  private readonly queues: readonly string[];
  private readonly state = new SharedArrayBuffer(8);
  private readonly beats = new BigInt64Array(this.state);
  private observer: GuardObserver | undefined;
  private thread: Thread | undefined;
  private readonly stopWatching: (() => void)[] = [];
  private trouble: string | undefined;

  /** @param leases where they are; in a cluster in several places */
  constructor(
    private readonly leases: readonly GuardedLeases[],
    private readonly leaseMs: number,
  ) {
    this.queues = leases.flatMap(({ queues }) => queues);
  }

  start(observer?: GuardObserver): void {
    this.observer = observer;
    const places = this.places();
    if ('problem' in places) return observer?.problem(troubles.noLeaseGuard(places.problem));
    const { leaseMs, state, runs } = this;
    const workerData: GuardData = { places, leaseMs, state, runs: runs.memory };
    try {
      this.thread = new Thread(LEASE_GUARD_PROGRAM, {
        eval: true,
        workerData,
        name: 'lease-guard',
      });
    } catch (error) {
      this.died(error);
      return;
    }
    this.thread.on('message', ({ problem }: GuardReport) => this.report(problem));
    this.thread.on('error', (error) => this.died(error));
    this.thread.on('exit', () => this.died());
    this.thread.unref();
    // In advance: a main thread that is blocked could not tell any more.
    const tell = () => this.thread?.postMessage(this.leases.map(({ access }) => addressOf(access)));
    for (const { access } of this.leases) {
      this.stopWatching.push(access.watch((what) => what === 'ready' && tell()));
      this.stopWatching.push(access.onMoved(tell));
    }
  }

  /** Where whoever runs the jobs of this queue says what runs, and until when it may. */
  runsOf(queue: string): RunsOfQueue {
    const { runs } = this;
    const index = this.queues.indexOf(queue);
    return {
      add: (execution, deadline) => runs.add(index, execution, deadline),
      move: (place, deadline) => runs.move(place, deadline),
      remove: (place) => runs.remove(place),
    };
  }

  /** The main thread lives; to be called every third of a lease. */
  beat(): void {
    Atomics.add(this.beats, 0, 1n);
  }

  async stop(): Promise<void> {
    const { thread } = this;
    this.thread = undefined;
    this.observer = undefined;
    for (const stopWatching of this.stopWatching.splice(0)) stopWatching();
    await thread?.terminate();
  }

  private places(): GuardPlace[] | { readonly problem: string } {
    const places: GuardPlace[] = [];
    for (const { access, script, queues } of this.leases) {
      const connection = access.home.forThread();
      if ('problem' in connection) return connection;
      const login = renewalLogin(connection.options);
      const own = queues.map((queue) => this.queues.indexOf(queue));
      places.push({ address: addressOf(access), login, script, queues: own });
    }
    return places;
  }

  private report(problem: string | undefined): void {
    if (problem !== undefined) {
      this.trouble = troubles.noLeaseGuard(troubles.guardCannotRenew(problem));
      this.observer?.problem(this.trouble);
    } else if (this.trouble !== undefined) {
      this.observer?.problemSolved(this.trouble, troubles.leaseGuardAgain);
    }
  }

  private died(error?: unknown): void {
    const reason = error instanceof Error ? error.message : undefined;
    this.thread = undefined;
    this.observer?.problem(troubles.noLeaseGuard(troubles.guardEnded(reason)));
    this.observer = undefined;
  }
}

/** Hears that leases are not kept while the event loop is blocked, and that they are again. */
export interface GuardObserver {
  problem(message: string): void;
  /** @param problem the message of then */
  problemSolved(problem: string, message: string): void;
}

/** Leases of one place. */
export interface GuardedLeases {
  /** Names of the queues that are there, in the order of the script's registries. */
  readonly queues: readonly string[];
  readonly access: RedisAccess;
  /** Gives the executions that are ours a full lease, but for those that are over. */
  readonly script: GuardedScript;
}

/** The server that has them now; nothing that could be connected to while that is not known. */
function addressOf(access: RedisAccess): RenewalAddress {
  try {
    const { home } = access;
    const connection = home.forThread();
    return 'problem' in connection ? {} : renewalAddress(connection.options, home.server);
  } catch {
    return {};
  }
}
