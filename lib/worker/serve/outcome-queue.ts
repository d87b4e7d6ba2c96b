import { after } from '../../time/timer.js';
import { type ClaimedJob, RETRYING_FULL } from '../../wire/index.js';
import type { ExchangeReply, OutcomeCall } from '../../store/index.js';
import type { JobReporter } from '../report/job-reporter.js';
import {
  type Trouble,
  outcomeNotStored,
  outcomesNotReplicated,
  outcomesNotStored,
} from '../report/troubles.js';
import type { Settlement } from '../report/settlement.js';
import {
  type AskedReplicas,
  ReplicatedOutcomes,
  type ReplicatedWork,
} from './replicated-outcomes.js';

/**
 * Outcomes on their way to Redis. Each stays here until Redis has said what became of it: written down, refused since
 * the lease is not ours any more, or not written for a reason that may pass. When an answer is lost, the same outcomes
 * are sent again as the same call, and Redis answers what became of them the first time. Where replicas are to have them,
 * too, they stay until these have (see ReplicatedOutcomes).
 */
export class OutcomeQueue {
  private pending: Settlement[] = [];
  /** Calls of which Redis has not said yet what became of them: a big one on a slow link takes its time. */
  private readonly sent = new Set<SentOutcomes>();
  /** Calls whose answers were lost. */
  private readonly lost: SentOutcomes[] = [];
  /** Those that Redis would not take and that are tried again in a moment. */
  private readonly later = new Set<Settlement>();
  private trouble: Trouble | undefined;
  private readonly slotsInUse = new Set<number>();
  private nextCall = 0;
  private notesRenewedAt = -Infinity;
  private readonly replicated: ReplicatedOutcomes | undefined;

  /**
   * @param onMore called when there is something to send
   * @param replicas undefined: outcomes are told when Redis has written them down
   */
  constructor(
    private readonly reporter: JobReporter,
    private readonly onMore: () => void,
    replicas?: AskedReplicas,
  ) {
    if (replicas) this.replicated = new ReplicatedOutcomes(this.worksWith(replicas));
  }

  /** There is something to send now. */
  get hasMore(): boolean {
    return this.pending.length > 0 || this.lost.length > 0;
  }

  /** Nothing is left to send or to tell, now or in a moment. */
  get isEmpty(): boolean {
    return !this.hasMore && this.later.size === 0 && (this.replicated?.isEmpty ?? true);
  }

  add(settlement: Settlement): void {
    this.pending.push(settlement);
    this.onMore();
  }

  /** Jobs that were claimed and not started: back to the head of the queue, with no retry spent. */
  giveBack(jobs: readonly ClaimedJob[]): void {
    const now = Date.now();
    const outcome = { type: 'released' } as const;
    const times = { startedAt: now, endedAt: now };
    const why = { verdict: { outcome }, reason: 'prefetched' } as const;
    // Each goes to the head: the last one first, so that their order stays.
    for (const job of jobs.toReversed()) {
      this.add({ job, name: '', outcome, ...times, ...why });
    }
  }

  /** Removes the next ones to send: those of a lost call first, and by themselves. */
  removeFirst(most: number): SentOutcomes {
    const next = this.lost.shift() ?? this.newCall(most);
    if (next.call) this.sent.add(next);
    return next;
  }

  /** They could not be sent, or nobody knows whether they arrived. */
  putBack(returned: SentOutcomes, isUncertain: boolean): void {
    const { outcomes, call } = returned;
    if (!call) return;
    this.sent.delete(returned);
    if (isUncertain || call.isRepeated) {
      this.lost.push({ outcomes, call: { ...call, isRepeated: true } });
    } else {
      this.slotsInUse.delete(call.slot);
      if (call.renewsNotes) this.notesRenewedAt = -Infinity;
      this.pending.unshift(...outcomes);
    }
  }

  /** Redis has answered. */
  conclude(answered: SentOutcomes, refusals: ExchangeReply['refused']): void {
    const { outcomes, call } = answered;
    if (!call) return;
    this.sent.delete(answered);
    if (refusals.length === 0) {
      this.allWritten(call, outcomes);
      return;
    }
    const statuses = new Map(refusals.map(({ index, status }) => [index, status]));
    const written = outcomes.filter((_, index) => !statuses.has(index));
    this.allWritten(call, written);
    for (const [index, outcome] of outcomes.entries()) {
      const status = statuses.get(index);
      if (status === undefined) {
        continue;
      } else if (status === RETRYING_FULL) {
        this.failInstead(outcome);
      } else if (status.startsWith('error ')) {
        this.settleAgain(outcome, status.slice('error '.length));
      } else {
        this.reporter.refused(outcome, status);
      }
    }
  }

  /** The worker stops: outcomes are told although replicas may not have them. */
  giveUpOnReplicas(): void {
    this.replicated?.giveUp();
  }

  private allWritten(call: OutcomeCall, written: readonly Settlement[]): void {
    if (this.replicated && written.length > 0) {
      this.replicated.hold(call, written);
    } else {
      this.slotsInUse.delete(call.slot);
      for (const outcome of written) this.reporter.settled(outcome);
    }
    if (this.trouble !== undefined && written.length > 0) this.problemSolved(this.trouble);
  }

  private worksWith(replicas: AskedReplicas): ReplicatedWork {
    const { problem, solved } = outcomesNotReplicated(replicas.queue);
    return {
      ask: (calls) => replicas.ask(calls),
      tell: (call, written) => {
        this.slotsInUse.delete(call.slot);
        for (const outcome of written) {
          this.reporter.settled(outcome);
          replicas.told(outcome);
        }
        replicas.allTold();
      },
      repeat: (call, outcomes) => {
        this.lost.push({ outcomes, call: { ...call, isRepeated: true } });
        this.onMore();
      },
      trouble: (error) => this.reporter.problem(problem, error),
      solved: () => this.reporter.problemSolved(problem, solved),
    };
  }

  /** The jobs whose leases are still ours. */
  *jobs(): Iterable<ClaimedJob> {
    for (const { job } of this.pending) yield job;
    for (const { outcomes } of this.sent) for (const { job } of outcomes) yield job;
    for (const { outcomes } of this.lost) for (const { job } of outcomes) yield job;
    for (const { job } of this.later) yield job;
    if (this.replicated) for (const { job } of this.replicated.outcomes()) yield job;
  }

  private newCall(most: number): SentOutcomes {
    if (this.pending.length === 0) return NOTHING;
    let slot = 0;
    while (this.slotsInUse.has(slot)) slot += 1;
    this.slotsInUse.add(slot);
    const now = performance.now();
    const renewsNotes = now - this.notesRenewedAt > NOTES_RENEWAL_MS;
    if (renewsNotes) this.notesRenewedAt = now;
    const call = { slot, number: this.nextCall++, isRepeated: false, renewsNotes };
    return { outcomes: this.pending.splice(0, most), call };
  }

  /** Too many jobs of the queue wait for a retry: this one fails, whatever retries it has left. */
  private failInstead(settlement: Settlement): void {
    const { outcome: refused, verdict } = settlement;
    if (refused.type !== 'retrying') return;
    const { failure, most } = refused;
    const outcome = { type: 'failed', failure } as const;
    const why = `as many jobs wait for a retry as maxLength.retrying allows (${most})`;
    this.add({ ...settlement, outcome, verdict: { outcome, error: verdict.error, why } });
  }

  /** Redis could not write this one down: the job's data are damaged, or it takes no writes now. */
  private settleAgain(settlement: Settlement, error: string): void {
    const { id, queue } = settlement.job;
    const { errors = 0 } = settlement;
    if (PASSING.test(error)) {
      this.trouble = outcomesNotStored(queue);
      this.reporter.problem(this.trouble.problem, new Error(error), queue);
    } else if (errors >= 2) {
      // Damaged data do not heal: its lease runs out, and the recovery fails the job.
      this.reporter.tell('problem', { message: outcomeNotStored(id), error: new Error(error) });
      return;
    }
    const next = { ...settlement, errors: errors + 1 };
    this.later.add(next);
    after(SETTLE_AGAIN_DELAY_MS, () => {
      this.later.delete(next);
      this.pending.push(next);
      this.onMore();
    }).unref();
  }

  private problemSolved({ problem, solved }: Trouble): void {
    this.trouble = undefined;
    this.reporter.problemSolved(problem, solved);
  }
}

/** What travels together: the settlements of one call, kept until Redis has said what became of each. */
export interface SentOutcomes {
  readonly outcomes: readonly Settlement[];
  readonly call: OutcomeCall | undefined;
}

const NOTHING: SentOutcomes = { outcomes: [], call: undefined };

const NOTES_RENEWAL_MS = 3_600_000;
const SETTLE_AGAIN_DELAY_MS = 1000;

/** It has nothing to do with the job: no memory, a replica, a disk that is full, too few replicas. */
const PASSING = /\b(OOM|READONLY|MISCONF|NOREPLICAS)\b/;
