import {
  JobCanceledError,
  JobStoppedError,
  KeyFunctionError,
  LostLeaseError,
  MalformedJobError,
  type StartedEvent,
  UnknownJobError,
  type Verdict,
  describeFailure,
  usableKey,
} from '../../job/index.js';
import { ResultWaiter } from '../../queue/index.js';
import {
  type ClaimedJob,
  type JobCall,
  encodeLane,
  nameInLane,
  payloadOf,
} from '../../wire/index.js';
import { BatchRun } from './batch-run.js';
import { BatchedJob } from './batched-job.js';
import { Execution, type ExecutionSettings } from './execution.js';
import { type Gate, textOfGate } from './gate.js';
import type { HandlerRegistry, RegisteredHandler } from './handler-registry.js';
import type { JobReporter } from '../report/job-reporter.js';
import { startedEvent } from '../report/about-job.js';
import { decideNonRetryable } from './verdict.js';
import { RunDeadlines } from './run-deadlines.js';
import { type JobHost, type RunStore, RunningJob } from './running-job.js';
import type { PutBackReason } from '../report/settlement.js';

/**
 * Runs the claimed jobs of one queue. It reads what each calls, finds its handler, and ends runs from outside. Whatever a
 * job contains, it ends with an outcome; it cannot stop the worker.
 */
export class JobRunner {
  /** A set: to look one up by the name of its execution is rare, and the name costs more than the rest. */
  private readonly running = new Set<Execution>();
  private readonly deadlines = new RunDeadlines(this.running);
  /** How many jobs (or batches) of each handler with a gate run. */
  private readonly counts = new Map<string, number>();
  private slotsTaken = 0;
  private readonly host: JobHost;

  constructor(
    private readonly queue: string,
    store: RunStore,
    private readonly handlers: HandlerRegistry,
    private readonly reporter: JobReporter,
    private readonly settings: RunnerSettings,
    private readonly onEnd: (end: RunEnd) => void,
  ) {
    const progressed = reporter.event.bind(reporter);
    const heartbeat = (execution: string) => {
      const run = this.find(execution);
      // Whoever gives a sign of life for one job of a batch lives.
      for (const one of run?.batch?.runs ?? []) one.heartbeat();
      run?.heartbeat();
    };
    this.host = { store, waiter: new ResultWaiter(store), progressed, heartbeat };
  }

  /** How many jobs run now. */
  get count(): number {
    return this.running.size;
  }

  /** How many slots they take: those of a batch take one. */
  get busySlots(): number {
    return this.slotsTaken;
  }

  /** How many jobs of a handler with a gate run now; a batch counts as one. */
  countOf(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  /** Starts a job. False: it takes no slot (it cannot run, or belongs behind its handler's gate). */
  start(claimed: ClaimedJob): boolean {
    const call = this.callOf(claimed);
    const handler = call && this.handlerFor(claimed, call);
    if (!handler) return false;
    const { ofBatch } = handler;
    if (ofBatch) this.runBatch(call.name, handler, ofBatch, [{ claimed, call }]);
    else this.run(claimed, call, handler);
    return true;
  }

  /** Starts jobs that were handed out as a batch, in one slot. False: none of them takes it. */
  startBatch(claims: readonly ClaimedJob[]): boolean {
    const readable: Readable[] = [];
    const name = nameInLane(claims[0]?.lane ?? '');
    const handler = this.handlers.find(this.queue, name);
    for (const claimed of claims) {
      const call = this.callOf(claimed);
      const found = call && this.handlerFor(claimed, call);
      if (!found) continue;
      if (found === handler) {
        readable.push({ claimed, call });
      } else {
        const problem = `it is called "${call.name}" and waited among the jobs of "${name}"`;
        const error = new MalformedJobError({ jobId: claimed.id, problem });
        this.refuse(claimed, call.name, decideNonRetryable(error));
      }
    }
    if (!handler?.ofBatch || readable.length === 0) return false;
    this.runBatch(name, handler, handler.ofBatch, readable);
    return true;
  }

  /** What holds a lease here. */
  *held(): Iterable<ClaimedJob> {
    for (const { claimed } of this.running.values()) yield claimed;
  }

  /** What runs now, in the order in which it started. */
  runs(): Iterable<Pick<Execution, 'claimed' | 'job' | 'startedAt'>> {
    return this.running.values();
  }

  /** The lease of this execution is not ours any more: the job has this status now. */
  lost(execution: string, status: string): void {
    const run = this.find(execution);
    const unstarted = run ? undefined : this.removeUnstarted((job) => job.execution === execution);
    const claimed = run?.claimed ?? unstarted?.claimed;
    if (!claimed) return;
    const { id: jobId, attempt } = claimed;
    if (status === 'canceled' || status === 'missing') {
      const reason = new JobCanceledError({ jobId });
      if (unstarted) this.refuse(claimed, unstarted.name, CANCELED);
      else run?.abort(reason, CANCELED);
    } else {
      const name = run?.job.name ?? unstarted?.name ?? '';
      run?.abort(new LostLeaseError({ jobId }), undefined);
      this.reporter.tell('jobLost', { queue: this.queue, name, jobId, attempt });
    }
  }

  /** Somebody canceled or deleted the job: its outcome will be refused, which frees the lease. */
  cancel(jobId: string): void {
    this.end(jobId, new JobCanceledError({ jobId }), CANCELED);
  }

  /** Somebody wants the running job to end: it fails as `stopped`, without a retry. */
  stop(jobId: string): void {
    const reason = new JobStoppedError({ jobId });
    this.end(jobId, reason, {
      outcome: { type: 'stopped', failure: describeFailure(reason) },
      error: reason,
    });
  }

  /** Ends all runs; each is given back, spending no retry. */
  abortAll(reason: (jobId: string) => Error): void {
    // Each goes to the head of the queue: the last one first, so that their order stays.
    for (const run of [...this.running.values()].reverse()) {
      run.abort(reason(run.claimed.id), { outcome: { type: 'released' } });
    }
  }

  /** After the last run. */
  close(): void {
    this.deadlines.close();
  }

  private find(execution: string): Execution | undefined {
    for (const run of this.running) if (run.claimed.execution === execution) return run;
    return undefined;
  }

  private end(jobId: string, reason: Error, verdict: Verdict): void {
    const unstarted = this.removeUnstarted(({ id }) => id === jobId);
    if (unstarted) this.refuse(unstarted.claimed, unstarted.name, verdict);
    for (const run of this.running.values()) {
      if (run.claimed.id === jobId) run.abort(reason, verdict);
    }
  }

  /** Removes what is claimed and waits for a slot. */
  private removeUnstarted(
    matches: (job: ClaimedJob) => boolean,
  ): { claimed: ClaimedJob; name: string } | undefined {
    const claimed = this.settings.removePrefetched(matches);
    return claimed && { claimed, name: '' };
  }

  /** Whoever enqueued it (Python, an application without the handler) did not know its key: now it goes to its lane. */
  private sort(claimed: ClaimedJob, call: JobCall, gate: Gate): void {
    let key: string;
    try {
      key = gate.key ? usableKey(gate.key(payloadOf(call), call.name)) : '';
    } catch (cause) {
      const error = new KeyFunctionError({ jobId: claimed.id, name: call.name, cause });
      this.refuse(claimed, call.name, decideNonRetryable(error));
      return;
    }
    const lane = encodeLane(call.name, key);
    const outcome = { type: 'sorted', lane, gate: textOfGate(gate) } as const;
    this.refuse(claimed, call.name, { outcome });
  }

  private run(claimed: ClaimedJob, call: JobCall, handler: RegisteredHandler): void {
    this.takeSlot(call.name, handler);
    const job = new RunningJob(claimed, call, this.host);
    const execution = new Execution(claimed, job, handler, this.settings, this.ended);
    this.enter(execution);
    execution.start();
  }

  private runBatch(
    name: string,
    handler: RegisteredHandler,
    ofBatch: NonNullable<RegisteredHandler['ofBatch']>,
    jobs: readonly Readable[],
  ): void {
    this.takeSlot(name, handler);
    const batch = new BatchRun(ofBatch, name);
    for (const { claimed, call } of jobs) {
      const job = new BatchedJob(claimed, call, this.host);
      const run = new Execution(claimed, job, handler, this.settings, this.ended, batch);
      job.decidedBy(run);
      batch.add(run);
      this.enter(run);
    }
    batch.start();
  }

  private takeSlot(name: string, handler: RegisteredHandler): void {
    this.slotsTaken += 1;
    if (handler.gate) this.counts.set(name, this.countOf(name) + 1);
  }

  private enter(execution: Execution): void {
    const { claimed, job } = execution;
    this.running.add(execution);
    if (this.settings.hearsStarts()) this.settings.began(startedEvent(claimed, job.name));
    this.deadlines.watch(execution);
  }

  private readonly ended = (execution: Execution, verdict: Verdict | undefined): void => {
    const { claimed, handler, startedAt, job } = execution;
    this.running.delete(execution);
    // Before its outcome: what is told after that is refused.
    job.ended();
    const { duration } = execution;
    const holdsSlot = execution.batch?.ended() ?? true;
    if (holdsSlot) {
      this.slotsTaken -= 1;
      if (handler.gate) this.counts.set(job.name, this.countOf(job.name) - 1);
    }
    this.onEnd({ claimed, name: job.name, verdict, startedAt, duration, holdsSlot });
  };

  /** Undefined: it cannot be read, and ends with that. */
  private callOf(claimed: ClaimedJob): JobCall | undefined {
    try {
      return claimed.call(this.settings.maxPayloadBytes);
    } catch (error) {
      this.refuse(claimed, '(unreadable)', decideNonRetryable(error));
      return undefined;
    }
  }

  /** Undefined: there is none, or the job belongs behind its gate first. */
  private handlerFor(claimed: ClaimedJob, call: JobCall): RegisteredHandler | undefined {
    const handler = this.handlers.find(this.queue, call.name);
    if (!handler) {
      this.refuseUnknown(claimed, call.name);
    } else if (handler.gate && claimed.lane === undefined) {
      this.sort(claimed, call, handler.gate);
      return undefined;
    }
    return handler;
  }

  private refuseUnknown(claimed: ClaimedJob, name: string): void {
    if (this.settings.unknownJobs === 'release') {
      const verdict = { outcome: { type: 'snoozed', delay: UNKNOWN_JOB_DELAY_MS } } as const;
      this.refuse(claimed, name, verdict, 'unknown job');
      return;
    }
    const known = this.handlers.names(this.queue);
    this.refuse(
      claimed,
      name,
      decideNonRetryable(new UnknownJobError({ queue: this.queue, name, known })),
    );
  }

  private refuse(
    claimed: ClaimedJob,
    name: string,
    verdict: Verdict,
    reason?: PutBackReason,
  ): void {
    const startedAt = Math.round(this.settings.now());
    this.onEnd({ claimed, name, verdict, startedAt, holdsSlot: false, reason });
  }
}

/** A claimed job, and what it calls. */
interface Readable {
  readonly claimed: ClaimedJob;
  readonly call: JobCall;
}

export interface RunnerSettings extends ExecutionSettings {
  readonly unknownJobs: 'fail' | 'release';
  /** Somebody wants to hear of each start, here or through Redis. */
  hearsStarts(): boolean;
  began(event: StartedEvent): void;
  /** Removes a prefetched job that has not come here yet, if there is one that matches. */
  removePrefetched(matches: (job: ClaimedJob) => boolean): ClaimedJob | undefined;
}

/** A run has ended, or a job could not be run. Whether anything is to be settled is still open; a slot may be free. */
export interface RunEnd {
  readonly claimed: ClaimedJob;
  readonly name: string;
  /** undefined: nothing to settle, the lease is not ours any more. */
  readonly verdict: Verdict | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Milliseconds for which it ran; undefined: it did not. */
  readonly duration?: number;
  readonly holdsSlot: boolean;
  readonly reason?: PutBackReason;
}

/** Redis has it that the job is canceled: this outcome will be refused, which frees the lease. */
const CANCELED: Verdict = { outcome: { type: 'canceled', reason: '' } };

const UNKNOWN_JOB_DELAY_MS = 10_000;
