import { DEFAULT_TIMEOUT, JobTimeoutError } from '../job/index.js';
import type { ClaimedJob } from '../store/index.js';
import {
  type Decision,
  type DecisionContext,
  decideReturned,
  decideThrown,
} from './outcome-decision.js';
import type { RegisteredHandler } from './handler-registry.js';
import type { RunningJob } from './running-job.js';

/**
 * One run of one job. It ends exactly once: with what the handler returns or throws, by its timeout, or because it is
 * ended from outside. The handler may go on after that (nobody can stop it); its slot is free, and what it returns is
 * not looked at.
 */
export class Execution {
  readonly startedAt = Date.now();
  /** Milliseconds of a clock that is finer than that of `startedAt`. */
  private readonly begun = performance.now();
  /** When it ends at the latest: milliseconds since the epoch. */
  readonly deadline: number;
  private readonly timeout: number;
  private timer: NodeJS.Timeout | undefined;
  private hasEnded = false;

  constructor(
    readonly claimed: ClaimedJob,
    readonly job: RunningJob,
    readonly handler: RegisteredHandler,
    private readonly settings: ExecutionSettings,
    private readonly onEnd: (execution: Execution, decision: Decision | undefined) => void,
  ) {
    this.timeout = timeoutOf(claimed, handler);
    this.deadline = this.timeout > 0 ? this.startedAt + this.timeout : Infinity;
  }

  /** For how long it has run, milliseconds. */
  get duration(): number {
    return performance.now() - this.begun;
  }

  start(): void {
    const { timeout } = this;
    if (timeout > 0) this.armTimer(timeout);
    this.settings.runsUntil(this.deadline);
    let returned: unknown;
    let isAwaited: boolean;
    try {
      returned = this.handler.run(this.job.data, this.job);
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
   * @param decision the outcome to settle; undefined: there is nothing to settle, the lease is not ours any more
   */
  abort(reason: Error, decision: Decision | undefined): void {
    if (this.hasEnded) return;
    this.job.abort(reason);
    this.end(decision);
  }

  private succeed(value: unknown): void {
    if (!this.hasEnded) this.end(decideReturned(value, this.context()));
  }

  private fail(error: unknown): void {
    if (!this.hasEnded) this.end(decideThrown(error, this.context()));
  }

  private armTimer(milliseconds: number): void {
    const isLonger = milliseconds > LONGEST_TIMER;
    this.timer = setTimeout(
      () => (isLonger ? this.armTimer(milliseconds - LONGEST_TIMER) : this.expire()),
      Math.min(milliseconds, LONGEST_TIMER),
    );
  }

  private expire(): void {
    const error = new JobTimeoutError({ jobId: this.claimed.id, timeout: this.timeout });
    this.abort(error, decideThrown(error, this.context()));
  }

  private end(decision: Decision | undefined): void {
    this.hasEnded = true;
    clearTimeout(this.timer);
    this.onEnd(this, decision);
  }

  private context(): DecisionContext {
    const { claimed, job, handler, settings } = this;
    const { maxPayloadBytes } = settings;
    return { claimed, job, handler, maxPayloadBytes, now: settings.now(), random: Math.random };
  }
}

export interface ExecutionSettings {
  readonly maxPayloadBytes: number;
  /** Redis's clock, milliseconds since the epoch. */
  now(): number;
  /** Told how long a run may take at most: milliseconds since the epoch. */
  runsUntil(deadline: number): void;
}

/** What setTimeout can count to. */
const LONGEST_TIMER = 2 ** 31 - 1;

function timeoutOf(claimed: ClaimedJob, handler: RegisteredHandler): number {
  const own = claimed.timeout;
  if (claimed.timeoutGiven) return own ?? DEFAULT_TIMEOUT;
  return handler.timeout ?? own ?? DEFAULT_TIMEOUT;
}

/** @throws what a getter or a proxy throws */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}
