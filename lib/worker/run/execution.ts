import { DEFAULT_TIMEOUT_MS, JobTimeoutError, type Verdict } from '../../job/index.js';
import type { RunsOfQueue } from '../../redis/index.js';
import type { ClaimedJob } from '../../wire/index.js';
import type { BatchRun } from './batch-run.js';
import { callHandler } from './call-handler.js';
import {
  type DecisionContext,
  decideNonRetryable,
  decideReturned,
  decideThrown,
} from './verdict.js';
import type { RegisteredHandler } from './handler-registry.js';
import type { RunningJob } from './running-job.js';

/**
 * One run of one job. It ends exactly once: with what the handler returns or throws, by its timeout, or because it is
 * ended from outside. The handler may go on after that (nobody can stop it); its slot is free, and what it returns is
 * not looked at.
 */
export class Execution implements DecisionContext {
  /** By Redis's clock, whole milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds of a clock that is never set. */
  private readonly begun = performance.now();
  private readonly timeout: number;
  /** From when its timeout counts: its beginning, or the last sign of life that its handler gave. */
  private livedAt = this.begun;
  /** Where the guard of leases knows it; undefined: it has not begun. */
  private place: number | undefined;
  /** It has ended, by whatever. */
  hasEnded = false;

  /** @param batch of which it is one; undefined: it runs by itself */
  constructor(
    readonly claimed: ClaimedJob,
    readonly job: RunningJob,
    readonly handler: RegisteredHandler,
    private readonly settings: ExecutionSettings,
    private readonly onEnd: (execution: Execution, verdict: Verdict | undefined) => void,
    readonly batch?: BatchRun,
  ) {
    this.startedAt = Math.round(settings.now(this.begun));
    this.timeout = timeoutOf(claimed, handler);
  }

  /** When it ends at the latest, by the clock of `performance.now()`. */
  get expiresAt(): number {
    return this.timeout > 0 ? this.livedAt + this.timeout : Infinity;
  }

  /** For how long it has run, milliseconds. */
  get duration(): number {
    return performance.now() - this.begun;
  }

  start(): void {
    this.begin();
    callHandler(() => this.handler.run(this.job.data, this.job), this);
  }

  /** It runs from now on: somebody else calls its handler. */
  begin(): void {
    this.place = this.settings.guarded.add(this.claimed.execution, this.expiresAt);
  }

  /**
   * Ends the run from outside: the signal aborts with `reason`, the slot is free.
   * @param verdict the outcome to settle; undefined: there is nothing to settle, the lease is not ours any more
   */
  abort(reason: Error, verdict: Verdict | undefined): void {
    if (this.hasEnded) return;
    this.job.abort(reason);
    this.end(verdict);
  }

  /** Its handler gives a sign of life: the timeout starts again. */
  heartbeat(): void {
    if (this.hasEnded) return;
    this.livedAt = performance.now();
    if (this.place !== undefined) this.settings.guarded.move(this.place, this.expiresAt);
  }

  /** Its handler has returned this. */
  succeed(value: unknown): void {
    if (!this.hasEnded) this.end(decideReturned(value, this));
  }

  /** Its handler has thrown this. */
  fail(error: unknown): void {
    if (!this.hasEnded) this.end(decideThrown(error, this));
  }

  /** It fails, and another run could not help it. @param why a clause, for the log */
  failForGood(error: unknown, why: string): void {
    if (!this.hasEnded) this.end(decideNonRetryable(error, why));
  }

  /** Its timeout is over. */
  expire(): void {
    const error = new JobTimeoutError({ jobId: this.claimed.id, timeout: this.timeout });
    this.abort(error, decideThrown(error, this));
  }

  private end(verdict: Verdict | undefined): void {
    this.hasEnded = true;
    if (this.place !== undefined) this.settings.guarded.remove(this.place);
    this.onEnd(this, verdict);
  }

  get now(): number {
    return this.settings.now();
  }

  get maxPayloadBytes(): number {
    return this.settings.maxPayloadBytes;
  }

  random(): number {
    return Math.random();
  }
}

export interface ExecutionSettings {
  readonly maxPayloadBytes: number;
  /** Redis's clock, milliseconds since the epoch. @param at a moment of `performance.now()`; default this one */
  now(at?: number): number;
  /** Told which runs there are and until when each may go on: their leases are kept so long. */
  readonly guarded: RunsOfQueue;
}

function timeoutOf(claimed: ClaimedJob, handler: RegisteredHandler): number {
  const own = claimed.timeout;
  if (claimed.timeoutGiven) return own ?? DEFAULT_TIMEOUT_MS;
  return handler.timeout ?? own ?? DEFAULT_TIMEOUT_MS;
}
