import { after } from '../../time/timer.js';
import type { ClaimedJob } from '../../wire/index.js';
import type { ExchangeReply } from '../../store/index.js';
import type { JobReporter } from '../report/job-reporter.js';
import type { Settlement } from '../report/settlement.js';

/**
 * Outcomes on their way to Redis. Each stays here until Redis has said what became of it: written down, refused since
 * the lease is not ours any more, or not written for a reason that may pass.
 */
export class OutcomeQueue {
  private pending: PendingSettlement[] = [];
  /** Those of which Redis has not said yet what became of them: a big one on a slow link takes its time. */
  private readonly sent = new Set<PendingSettlement>();
  /** Those that Redis would not take and that are tried again in a moment. */
  private readonly later = new Set<PendingSettlement>();
  private trouble: string | undefined;

  /** @param onMore called when there is something to send */
  constructor(
    private readonly reporter: JobReporter,
    private readonly onMore: () => void,
  ) {}

  get length(): number {
    return this.pending.length;
  }

  /** Nothing is left to send, now or in a moment. */
  get isEmpty(): boolean {
    return this.pending.length === 0 && this.later.size === 0;
  }

  /** @param ended when and how a run of the job ended */
  add(ended: EndedJob): void {
    this.pending.push({
      job: ended.job,
      name: ended.name,
      verdict: ended.verdict,
      outcome: ended.verdict.outcome,
      startedAt: ended.startedAt,
      endedAt: ended.endedAt,
      reason: ended.reason,
      isRepeated: false,
      errors: 0,
    });
    this.onMore();
  }

  /** Jobs that were claimed and not started: back to the head of the queue, with no retry spent. */
  giveBack(jobs: readonly ClaimedJob[]): void {
    const now = Date.now();
    const verdict = { outcome: { type: 'released' } } as const;
    const reason = 'prefetched';
    // Each goes to the head: the last one first, so that their order stays.
    for (const job of jobs.toReversed()) {
      this.add({ job, name: '', verdict, startedAt: now, endedAt: now, reason });
    }
  }

  /** Removes the next ones to send. */
  removeFirst(most: number): PendingSettlement[] {
    const removed = this.pending.splice(0, most);
    for (const outcome of removed) this.sent.add(outcome);
    return removed;
  }

  /** They could not be sent, or nobody knows whether they arrived. */
  putBack(outcomes: readonly PendingSettlement[], isUncertain: boolean): void {
    for (const outcome of outcomes) this.sent.delete(outcome);
    const returned = isUncertain
      ? outcomes.map((outcome) => ({ ...outcome, isRepeated: true }))
      : outcomes;
    this.pending.unshift(...returned);
  }

  /** Redis has answered. */
  conclude(outcomes: readonly PendingSettlement[], refusals: ExchangeReply['refused']): void {
    const statuses = new Map(refusals.map(({ index, status }) => [index, status]));
    for (const [index, outcome] of outcomes.entries()) {
      this.sent.delete(outcome);
      const status = statuses.get(index);
      if (status === undefined || wasWritten(outcome, status)) {
        this.reporter.settled(outcome);
        if (this.trouble !== undefined) this.problemSolved(this.trouble, outcome.job.queue);
      } else if (status.startsWith('error ')) {
        this.settleAgain(outcome, status.slice('error '.length));
      } else {
        this.reporter.refused(outcome, status);
      }
    }
  }

  /** The jobs whose leases are still ours. */
  *jobs(): Iterable<ClaimedJob> {
    for (const { job } of this.pending) yield job;
    for (const { job } of this.sent) yield job;
    for (const { job } of this.later) yield job;
  }

  /** Redis could not write this one down: the job's data are damaged, or it takes no writes now. */
  private settleAgain(outcome: PendingSettlement, error: string): void {
    const { id, queue } = outcome.job;
    if (PASSING.test(error)) {
      this.trouble = `outcomes of queue "${queue}" cannot be stored`;
      this.reporter.problem(this.trouble, new Error(error));
    } else if (outcome.errors >= 2) {
      // Damaged data do not heal: its lease runs out, and the recovery fails the job.
      const message = `the outcome of job "${id}" cannot be stored`;
      this.reporter.tell('problem', { message, error: new Error(error) });
      return;
    }
    const next = { ...outcome, errors: outcome.errors + 1 };
    this.later.add(next);
    after(SETTLE_AGAIN_DELAY_MS, () => {
      this.later.delete(next);
      this.pending.push(next);
      this.onMore();
    }).unref();
  }

  private problemSolved(trouble: string, queue: string): void {
    this.trouble = undefined;
    this.reporter.problemSolved(trouble, `outcomes of queue "${queue}" are stored again`);
  }
}

/** How a run of a job ended. */
export type EndedJob = Omit<Settlement, 'outcome'>;

export interface PendingSettlement extends Settlement {
  /** It was sent before, and the answer was lost. */
  readonly isRepeated: boolean;
  readonly errors: number;
}

/** The status of a job whose outcome was written down although the answer was lost. */
const STATUSES_AFTER: Record<Settlement['outcome']['type'], readonly string[]> = {
  finished: ['finished', 'missing'],
  failed: ['failed', 'missing'],
  stopped: ['stopped', 'missing'],
  canceled: ['canceled'],
  retrying: ['scheduled', 'queued'],
  snoozed: ['scheduled'],
  released: ['queued'],
};

const SETTLE_AGAIN_DELAY_MS = 1000;

/** It has nothing to do with the job: no memory, a replica, a disk that is full, too few replicas. */
const PASSING = /\b(OOM|READONLY|MISCONF|NOREPLICAS)\b/;

function wasWritten(outcome: PendingSettlement, status: string): boolean {
  return outcome.isRepeated && STATUSES_AFTER[outcome.outcome.type].includes(status);
}
