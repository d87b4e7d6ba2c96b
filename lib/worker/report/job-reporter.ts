import type { JobEvent, StartedEvent } from '../../job/index.js';
import {
  canceledWhileItRan,
  deletedWhileItRan,
  eventsOf,
  stoppedByCommand,
} from './outcome-events.js';
import type { Settlement } from './settlement.js';
import type {
  ExecutionEvent,
  ReleaseReason,
  SnoozeReason,
  WorkerObserver,
} from './worker-observer.js';

/**
 * Tells the observers what has become of jobs, and keeps the worker's counters. An observer that throws is none of the
 * worker's business: what it threw is dropped.
 */
export class JobReporter {
  private finished = 0;
  private failed = 0;
  private milliseconds = 0;
  private readonly lastProblems = new Map<string, number>();

  private readonly observers: readonly WorkerObserver[];
  /** Somebody wants to hear of each start. */
  readonly hearsStarts: boolean;
  private readonly hearsFinishes: boolean;
  private readonly hearsEvents: boolean;

  constructor(...observers: WorkerObserver[]) {
    this.observers = observers;
    const hears = (name: keyof WorkerObserver) => observers.some((observer) => observer[name]);
    this.hearsFinishes = hears('jobFinished');
    this.hearsEvents = hears('jobEvent');
    this.hearsStarts = this.hearsEvents || hears('jobStarted');
  }

  /** A handler is about to run. */
  started(event: StartedEvent): void {
    const { queue, name, jobId, attempt } = event;
    this.tell('jobStarted', { queue, name, jobId, attempt });
    this.event(event);
  }

  /** For those who want everything in one form. */
  event(event: JobEvent): void {
    this.tell('jobEvent', event);
  }

  /** Redis has written the outcome down. */
  settled(request: Settlement): void {
    const { outcome } = request;
    const duration = request.endedAt - request.startedAt;
    this.milliseconds += duration;
    if (this.hearsEvents) for (const event of eventsOf(request)) this.event(event);
    switch (outcome.type) {
      case 'finished':
        this.finished += 1;
        if (this.hearsFinishes) this.tell('jobFinished', { ...eventOf(request), duration });
        return;
      case 'failed':
        this.failed += 1;
        this.tell('jobFailed', {
          ...eventOf(request),
          failure: outcome.failure,
          error: request.verdict.error,
          why: request.verdict.why ?? '',
        });
        return;
      case 'retrying':
        // As RQ's workers count: every failed attempt.
        this.failed += 1;
        this.tell('jobRetrying', {
          ...eventOf(request),
          failure: outcome.failure,
          error: request.verdict.error,
          delay: outcome.delay,
          retriesLeft: request.verdict.retriesLeft ?? 0,
        });
        return;
      case 'snoozed':
        this.tell('jobSnoozed', {
          ...eventOf(request),
          reason: (request.reason as SnoozeReason | undefined) ?? 'snoozed',
          delay: outcome.delay,
        });
        return;
      case 'released':
        this.tell('jobReleased', {
          ...eventOf(request),
          reason: (request.reason as ReleaseReason | undefined) ?? 'shutdown',
        });
        return;
      case 'canceled':
        this.tell('jobCanceled', { ...eventOf(request), reason: outcome.reason });
        return;
      case 'stopped':
        this.tell('jobCanceled', { ...eventOf(request), reason: stoppedByCommand });
    }
  }

  /** The outcome was refused: the job has this status now. */
  refused(request: Settlement, status: string): void {
    if (status === 'canceled' || status === 'missing') {
      const reason = status === 'missing' ? deletedWhileItRan : canceledWhileItRan;
      const about = eventOf(request);
      this.tell('jobCanceled', { ...about, reason });
      this.event({ type: 'canceled', ...about, reason, at: new Date(request.endedAt) });
    } else {
      this.tell('jobLost', eventOf(request));
    }
  }

  tell<Name extends keyof WorkerObserver>(name: Name, event: EventOf<Name>): void {
    for (const observer of this.observers) {
      try {
        (observer[name] as ((event: EventOf<Name>) => void) | undefined)?.call(observer, event);
      } catch {
        // See the class comment.
      }
    }
  }

  /** Something is wrong with the surroundings: told once, then again only after a while. */
  problem(message: string, error?: unknown): void {
    const now = performance.now();
    if (now - (this.lastProblems.get(message) ?? -Infinity) < PROBLEM_INTERVAL) return;
    this.lastProblems.set(message, now);
    this.tell('problem', { message, error });
  }

  /** What was wrong is well again; told only when the problem was. */
  problemSolved(problem: string, message: string): void {
    if (this.lastProblems.delete(problem)) this.tell('problemSolved', { message });
  }

  /** What was done since the last call. */
  takeCounts(): { finished: number; failed: number; seconds: number } {
    const counts = {
      finished: this.finished,
      failed: this.failed,
      seconds: this.milliseconds / 1000,
    };
    this.finished = this.failed = this.milliseconds = 0;
    return counts;
  }
}

type EventOf<Name extends keyof WorkerObserver> = Parameters<NonNullable<WorkerObserver[Name]>>[0];

/** Milliseconds. */
const PROBLEM_INTERVAL = 30_000;

function eventOf({ job, name }: Settlement): ExecutionEvent {
  return { queue: job.queue, name, jobId: job.id, attempt: job.attempt };
}
