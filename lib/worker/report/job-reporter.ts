import {
  type CallbackMoment,
  type FailedEvent,
  type FailureRecord,
  type JobEvent,
  type Outcome,
  type StartedEvent,
} from '../../job/index.js';
import type { JobRecord } from '../../wire/index.js';
import {
  canceledWhileItRan,
  deletedWhileItRan,
  eventsOf,
  stoppedByCommand,
} from './outcome-events.js';
import type { JobCounts } from './job-counts.js';
import type { Settlement } from './settlement.js';
import { endedJob, poisonedJob } from './webhook-payload.js';
import type { Webhooks } from './webhooks.js';
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

  private webhooks: Pick<Webhooks, 'send'> | undefined;
  private counts: Pick<JobCounts, 'settled' | 'refused'> | undefined;
  private readonly observers: readonly WorkerObserver[];
  /** Somebody wants to hear of each start. */
  readonly hearsStarts: boolean;
  private readonly hearsFinishes: boolean;
  private readonly hearsFailures: boolean;
  private readonly hearsRetries: boolean;
  private readonly hearsEvents: boolean;
  private readonly hearsCallbacks: boolean;

  constructor(...observers: WorkerObserver[]) {
    this.observers = observers;
    const hears = (name: keyof WorkerObserver) => observers.some((observer) => observer[name]);
    this.hearsFinishes = hears('jobFinished');
    this.hearsFailures = hears('jobFailed');
    this.hearsRetries = hears('jobRetrying');
    this.hearsEvents = hears('jobEvent');
    this.hearsCallbacks = hears('jobCallback');
    this.hearsStarts = this.hearsEvents || hears('jobStarted');
  }

  /** From now on, webhooks of jobs that have ended go there. */
  sendWebhooks(webhooks: Pick<Webhooks, 'send'>): void {
    this.webhooks = webhooks;
  }

  /** From now on, what becomes of jobs is counted there. */
  countJobs(counts: Pick<JobCounts, 'settled' | 'refused'>): void {
    this.counts = counts;
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
  settled(settlement: Settlement): void {
    const { outcome } = settlement;
    // Nothing has become of it yet.
    if (outcome.type === 'sorted') return;
    const duration = settlement.endedAt - settlement.startedAt;
    this.milliseconds += duration;
    this.counts?.settled(settlement);
    if (this.hearsEvents) for (const event of eventsOf(settlement)) this.event(event);
    if (this.hearsCallbacks) this.tellCallback(settlement);
    const ended = this.webhooks && endedJob(settlement);
    if (ended) this.webhooks?.send(ended);
    switch (outcome.type) {
      case 'finished':
      case 'repeating':
        this.finished += 1;
        if (this.hearsFinishes) this.tell('jobFinished', { ...eventOf(settlement), duration });
        return;
      case 'failed':
        this.failed += 1;
        if (this.hearsFailures) {
          const why = settlement.verdict.why ?? '';
          this.tell('jobFailed', { ...failureOf(settlement, outcome.failure, duration), why });
        }
        return;
      case 'retrying':
        // As RQ's workers count: every failed attempt.
        this.failed += 1;
        if (this.hearsRetries) {
          const retriesLeft = settlement.verdict.retriesLeft ?? 0;
          const failed = failureOf(settlement, outcome.failure, duration);
          this.tell('jobRetrying', { ...failed, delay: outcome.delay, retriesLeft });
        }
        return;
      case 'snoozed':
        this.tell('jobSnoozed', {
          ...eventOf(settlement),
          reason: (settlement.reason as SnoozeReason | undefined) ?? 'snoozed',
          delay: outcome.delay,
        });
        return;
      case 'released':
        this.tell('jobReleased', {
          ...eventOf(settlement),
          reason: (settlement.reason as ReleaseReason | undefined) ?? 'shutdown',
        });
        return;
      case 'canceled':
        this.tell('jobCanceled', { ...eventOf(settlement), reason: outcome.reason });
        return;
      case 'stopped':
        this.tell('jobCanceled', { ...eventOf(settlement), reason: stoppedByCommand });
    }
  }

  /**
   * A job was failed since its workers kept dying.
   * @param record undefined: it is not kept (`failureTtl: 0`)
   */
  poisoned(event: FailedEvent, record: JobRecord | undefined): void {
    this.event(event);
    this.tell('jobPoisoned', event);
    if (!record) return;
    const ended = poisonedJob(event.name, record);
    if (ended) this.webhooks?.send(ended);
    const callback = record.failureCallback;
    if (callback !== undefined) this.tell('jobCallback', { callback, on: 'failure', event });
  }

  private tellCallback(settlement: Settlement): void {
    const on = CALLBACK_MOMENTS[settlement.outcome.type];
    const callback = on && settlement.job.callback(on);
    const event = callback && eventsOf(settlement).at(-1);
    if (event) this.tell('jobCallback', { callback, on, event });
  }

  /** The outcome was refused: the job has this status now. */
  refused(settlement: Settlement, status: string): void {
    const isCanceled = status === 'canceled' || status === 'missing';
    this.counts?.refused(settlement.job.queue, settlement.name, isCanceled ? 'canceled' : 'lost');
    if (isCanceled) {
      const reason = status === 'missing' ? deletedWhileItRan : canceledWhileItRan;
      const about = eventOf(settlement);
      this.tell('jobCanceled', { ...about, reason });
      this.event({ type: 'canceled', ...about, reason, at: new Date(settlement.endedAt) });
    } else {
      this.tell('jobLost', eventOf(settlement));
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

  /**
   * Something is wrong with the surroundings: told once, then again only after a while.
   * @param queue which one cannot be served because of it
   */
  problem(message: string, error?: unknown, queue?: string): void {
    const now = performance.now();
    if (now - (this.lastProblems.get(message) ?? -Infinity) < PROBLEM_INTERVAL) return;
    this.lastProblems.set(message, now);
    this.tell('problem', { message, error, queue });
  }

  /** What was wrong is well again; told only when the problem was. */
  problemSolved(problem: string, message: string): void {
    if (this.lastProblems.delete(problem)) this.tell('problemSolved', { message, problem });
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

/** RQ calls them at these ends of an execution. */
const CALLBACK_MOMENTS: Readonly<Partial<Record<Outcome['type'], CallbackMoment>>> = {
  finished: 'success',
  repeating: 'success',
  failed: 'failure',
  retrying: 'failure',
  stopped: 'stopped',
};

/** Milliseconds. */
const PROBLEM_INTERVAL = 30_000;

function eventOf({ job, name }: Settlement): ExecutionEvent {
  return { queue: job.queue, name, jobId: job.id, attempt: job.attempt };
}

/** What is told of a failed attempt, whatever follows. */
function failureOf(settlement: Settlement, failure: FailureRecord, duration: number) {
  const { error } = settlement.verdict;
  return { ...eventOf(settlement), failure, error, duration, wait: waitOf(settlement) };
}

function waitOf({ job, startedAt }: Settlement): number | undefined {
  const { readyAt } = job;
  return readyAt === undefined ? undefined : Math.max(0, startedAt - readyAt);
}
