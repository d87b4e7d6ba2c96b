import type {
  CountedJobs,
  WorkDone,
  WorkerActivity,
  WorkerRecord,
  WorkerStore,
} from '../../store/index.js';
import { RqConnectionError } from '../../job/index.js';
import { type Timer, every } from '../../time/timer.js';
import type { JobCounts } from '../report/job-counts.js';
import type { JobReporter } from '../report/job-reporter.js';
import { workerNotListed } from '../report/troubles.js';

/**
 * Keeps this worker listed where people and RQ's tools look. It shows that it lives, what it does, and what it has counted
 * of jobs: every 10 seconds, every 2 while somebody looks, and within a second when it becomes busy or idle. Jobs do not
 * depend on it.
 */
export class Heartbeat {
  private readonly worker: Omit<WorkerRecord, 'state'>;
  private timer: Timer | undefined;
  private state: WorkerRecord['state'] = 'started';
  private writtenAt = 0;
  private isViewed = false;
  private checkedAt = 0;
  /** Milliseconds by which the timer came late at most. */
  private lagMs = 0;
  /** When it was late last, and by how much: health looks at that for a while. */
  private late = { ms: 0, at: -Infinity };
  private shownAt = 0;

  /** @param currentState what the worker does now */
  constructor(
    private readonly store: WorkerStore,
    worker: Pick<WorkerRecord, 'name' | 'queues' | 'version'>,
    private readonly currentState: () => WorkerRecord['state'],
    private readonly reporter: JobReporter,
    private readonly shown: ShownWork = {},
  ) {
    this.worker = { ...worker, ttl: LISTED };
  }

  async start(): Promise<void> {
    this.state = 'idle';
    this.checkedAt = this.writtenAt = this.shownAt = performance.now();
    await this.store.workers.register({ ...this.worker, state: this.state }, this.activity());
    this.timer = every(CHECK, () => void this.beat());
  }

  /** Milliseconds: since it looked last, since Redis had word of it, and by which it was late at most lately. */
  vitals(): HeartbeatVitals {
    const now = performance.now();
    const lagMs = now - this.late.at <= HEARTBEAT ? this.late.ms : 0;
    return { sinceLookMs: now - this.checkedAt, sinceShownMs: now - this.shownAt, lagMs };
  }

  async stop(): Promise<void> {
    if (this.timer === undefined) return;
    this.timer.cancel();
    // What is left of many counts needs more than one beat.
    for (let beats = 0; beats < LAST_BEATS && (await this.write()); beats += 1);
    await this.store.workers.deregister({ ...this.worker, state: this.state });
  }

  private async beat(): Promise<void> {
    const now = performance.now();
    const lateMs = now - this.checkedAt - CHECK;
    this.lagMs = Math.max(this.lagMs, lateMs);
    if (lateMs >= this.late.ms || now - this.late.at > HEARTBEAT)
      this.late = { ms: lateMs, at: now };
    this.checkedAt = now;
    const state = this.currentState();
    const interval = this.isViewed ? VIEWED : HEARTBEAT;
    if (state === this.state && now - this.writtenAt < interval - CHECK / 2) return;
    this.state = state;
    try {
      await this.write();
    } catch (error) {
      this.reporter.problem(workerNotListed, error);
    }
  }

  /** Answers whether counts are left. */
  private async write(): Promise<boolean> {
    this.writtenAt = performance.now();
    const { counts } = this.shown;
    const figures = counts?.take(COUNTS_AT_ONCE);
    const done: WorkDone = { ...this.reporter.takeCounts(), activity: this.activity(), figures };
    this.lagMs = 0;
    try {
      const record = { ...this.worker, state: this.state };
      this.isViewed = await this.store.workers.heartbeat(record, done);
      this.shownAt = performance.now();
    } catch (error) {
      this.keep(figures, error);
      throw error;
    }
    return figures?.length === COUNTS_AT_ONCE;
  }

  /** What has surely not arrived travels again; what may have arrived must not be counted twice. */
  private keep(figures: readonly CountedJobs[] | undefined, error: unknown): void {
    if (error instanceof RqConnectionError && !error.uncertain && figures) {
      this.shown.counts?.putBack(figures);
    }
  }

  private activity(): WorkerActivity | undefined {
    const { activity } = this.shown;
    if (!activity) return undefined;
    const everyMs = this.isViewed ? VIEWED : HEARTBEAT;
    return { ...activity(), lagMs: this.lagMs, everyMs, rss: process.memoryUsage.rss() };
  }
}

export interface HeartbeatVitals {
  readonly sinceLookMs: number;
  readonly sinceShownMs: number;
  readonly lagMs: number;
}

/** What a worker shows beside its state. */
export interface ShownWork {
  /** Undefined: nothing is counted. */
  readonly counts?: Pick<JobCounts, 'take' | 'putBack'>;
  readonly activity?: () => Pick<WorkerActivity, 'slots' | 'queueSlots' | 'busy' | 'running'>;
}

/** Milliseconds between two signs of life. */
const HEARTBEAT = 10_000;
/** The same while somebody looks. */
const VIEWED = 2000;
/** Seconds, six heartbeats: a worker that was killed is listed no longer than that. */
const LISTED = 60;
/** Milliseconds between two looks at what the worker does: a change of it is shown as soon as that. */
const CHECK = 1000;
/** Names whose counts travel with one beat: keeps the script below 5 ms. */
const COUNTS_AT_ONCE = 100;
const LAST_BEATS = 10;
