import { DEFAULT_TIMEOUT_MS, JobTimeoutError, type Verdict } from '../../job/index.js';
import type { ClaimedJob } from '../../wire/index.js';
import { type DecisionContext, decideReturned, decideThrown } from './verdict.js';
import type { RegisteredHandler } from './handler-registry.js';
import { inRootContext } from './root-context.js';
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
  private hasEnded = false;

  constructor(
    readonly claimed: ClaimedJob,
    readonly job: RunningJob,
    readonly handler: RegisteredHandler,
    private readonly settings: ExecutionSettings,
    private readonly onEnd: (execution: Execution, verdict: Verdict | undefined) => void,
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
    this.settings.runsUntil(this.expiresAt);
    let returned: unknown;
    let isAwaited: boolean;
    try {
      returned = inRootContext(this.handler.run, this.job.data, this.job);
      isAwaited = isThenable(returned);
    } catch (error) {
      this.fail(error);
      return;
    }
    if (isAwaited) {
      // A `then` that is not a Promise's own may throw or call back twice: resolve() deals with that.
      Promise.resolve(returned).then(
        (value) => this.succeed(value),
        (error: unknown) => this.fail(error),
      );
    } else {
      this.succeed(returned);
    }
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
    this.settings.runsUntil(this.expiresAt);
  }

  private succeed(value: unknown): void {
    if (!this.hasEnded) this.end(decideReturned(value, this));
  }

  private fail(error: unknown): void {
    if (!this.hasEnded) this.end(decideThrown(error, this));
  }

  /** Its timeout is over. */
  expire(): void {
    const error = new JobTimeoutError({ jobId: this.claimed.id, timeout: this.timeout });
    this.abort(error, decideThrown(error, this));
  }

  private end(verdict: Verdict | undefined): void {
    this.hasEnded = true;
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
  /** Told how long a run may take at most, by the clock of `performance.now()`. */
  runsUntil(deadline: number): void;
}

function timeoutOf(claimed: ClaimedJob, handler: RegisteredHandler): number {
  const own = claimed.timeout;
  if (claimed.timeoutGiven) return own ?? DEFAULT_TIMEOUT_MS;
  return handler.timeout ?? own ?? DEFAULT_TIMEOUT_MS;
}

/** @throws what a getter or a proxy throws */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}
