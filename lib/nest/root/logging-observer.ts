import type {
  JobRetryingEvent,
  ExecutionEvent,
  JobFailedEvent,
  WorkerEnd,
  WorkerObserver,
} from '../../worker/index.js';
import type { LimitChange } from '../../store/index.js';
import type { UnprovidedHandlers } from '../handlers/unprovided-handlers.js';
import { type LogFields, failedFields, jobFields, retryingFields } from '../log-fields.js';
import * as lines from '../log-lines.js';
import { RqLogger } from '../rq-logger.js';
import { DroppedIds } from './dropped-ids.js';
import { GivenBackJobs } from './given-back.js';
import { Outage, type Problem, type Solution } from './outage.js';
import { RepeatedFailures } from './repeated-failures.js';
import { UnknownNames } from './unknown-names.js';

/**
 * What an operator sees of the worker, through Nest's logger. A failed attempt that is tried again is one `warn` line.
 * One that is not is an `error` line with the stack. Nothing fails silently, and what went well is not worth a line.
 */
export class LoggingObserver implements WorkerObserver {
  private readonly logger: RqLogger;

  private readonly unknownNames = new UnknownNames();

  private readonly dropped = new DroppedIds(
    (one) => this.logger.warn(lines.jobDropped(one), () => ({ event: 'job.dropped', ...one })),
    (more) => this.logger.warn(lines.moreDropped(more), () => ({ event: 'job.dropped', ...more })),
  );

  private readonly givenBack = new GivenBackJobs((given) =>
    this.logger.warn(lines.givenBack(given), () => {
      const { queue, count, jobs } = given;
      return { event: 'job.released', queue, count, jobIds: jobs.map(({ jobId }) => jobId) };
    }),
  );

  private readonly outage = new Outage({
    away: (queues, why) => this.logger.error(lines.queuesNotServed(queues, why)),
    back: (queues, lasted) => this.logger.log(lines.queuesServedAgain(queues, lasted)),
    alone: (event) => this.logger.error(lines.problem(event)),
  });

  private readonly failures = new RepeatedFailures((about, count) => {
    const { queue, name: job } = about;
    this.logger.error(lines.moreFailures(about, count), undefined, () => ({
      event: 'job.failures',
      queue,
      job,
      count,
    }));
  });

  /**
   * @param namesOn the names for which a queue has handlers
   * @param form of lines about jobs
   * @param circumstances what fields tell beside the event: worker, trace
   */
  constructor(
    private readonly root: string,
    private readonly namesOn: (queue: string) => readonly string[] = () => [],
    form: 'text' | 'fields' = 'text',
    private readonly circumstances: (event: ExecutionEvent) => object = () => ({}),
  ) {
    this.logger = new RqLogger('RqWorker', form);
  }

  started(queues: readonly string[], concurrency = 10): void {
    this.logger.log(lines.workerStarted(this.root, queues, concurrency));
  }

  unprovided(found: UnprovidedHandlers): void {
    this.logger.warn(lines.unprovided(found));
  }

  noHandlers(queues: readonly string[]): void {
    this.logger.warn(lines.noHandlers(this.root, queues));
  }

  stopped(queues: readonly string[]): void {
    this.flush();
    this.logger.log(lines.workerStopped(this.root, queues));
  }

  ended(
    queues: readonly string[],
    why: Exclude<WorkerEnd, 'stopped'>,
    left: readonly lines.LeftJobs[],
  ): void {
    this.flush();
    this.logger.log(lines.workerEnded(this.root, queues, why, left));
  }

  limitsChanged(event: LimitChange & { readonly queue: string }): void {
    this.logger.log(lines.limitsChanged(event));
  }

  jobRetrying(event: JobRetryingEvent): void {
    if (!this.isTold(event)) return;
    this.logger.warn(lines.jobRetrying(event), () => this.with(event, retryingFields(event)));
  }

  jobFailed(event: JobFailedEvent): void {
    if (!this.isTold(event)) return;
    this.logger.error(lines.jobFailed(event), event.failure.stack, () =>
      this.with(event, failedFields(event)),
    );
  }

  jobSnoozed(event: Parameters<NonNullable<WorkerObserver['jobSnoozed']>>[0]): void {
    if (event.reason !== 'unknown job' || !this.unknownNames.isDue(event.queue, event.name)) return;
    this.logger.warn(lines.unknownName(event, this.namesOn(event.queue)));
  }

  stopCommanded(event: Parameters<NonNullable<WorkerObserver['stopCommanded']>>[0]): void {
    this.logger.warn(lines.stopCommanded(this.root, event));
  }

  jobCanceled(event: ExecutionEvent & { readonly reason: string }): void {
    this.logger.warn(lines.jobCanceled(event), () =>
      this.with(event, jobFields('job.canceled', event)),
    );
  }

  jobLost(event: ExecutionEvent): void {
    this.logger.warn(lines.jobLost(event), () => this.with(event, jobFields('job.lost', event)));
  }

  jobRecovered(event: Parameters<NonNullable<WorkerObserver['jobRecovered']>>[0]): void {
    const { queue, name, jobId, outcome } = event;
    const fields = () => ({
      event: 'job.recovered',
      queue,
      ...(name && { job: name }),
      jobId,
      outcome,
    });
    if (outcome === 'failed') this.logger.error(lines.jobRecovered(event), undefined, fields);
    else this.logger.warn(lines.jobRecovered(event), fields);
  }

  jobReleased(event: Parameters<NonNullable<WorkerObserver['jobReleased']>>[0]): void {
    if (event.reason === 'shutdown') this.givenBack.add(event);
  }

  jobDropped(event: Parameters<NonNullable<WorkerObserver['jobDropped']>>[0]): void {
    this.dropped.add(event);
  }

  /** The worker is stopped: what was counted is told. */
  private flush(): void {
    this.dropped.flush();
    this.failures.flush();
    this.givenBack.flush();
    this.outage.flush();
  }

  private with(event: ExecutionEvent, fields: LogFields): LogFields {
    return { ...fields, ...this.circumstances(event) };
  }

  /** Retries and last failures are counted apart. */
  private isTold(event: JobRetryingEvent | JobFailedEvent): boolean {
    const kind = 'why' in event ? 'failed' : 'retrying';
    return this.failures.isTold(
      [kind, event.queue, event.name, event.failure.name].join('\n'),
      event,
    );
  }

  problem(event: Problem): void {
    if (!this.outage.begins(event)) this.logger.error(lines.problem(event));
  }

  problemSolved(event: Solution): void {
    if (!this.outage.ends(event)) this.logger.log(lines.problemSolved(event));
  }
}
