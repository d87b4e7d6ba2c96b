import type {
  JobRetryingEvent,
  ExecutionEvent,
  JobFailedEvent,
  WorkerObserver,
} from '../../worker/index.js';
import * as messages from '../messages.js';
import { RqLogger } from '../rq-logger.js';

/**
 * What an operator sees of the worker, through Nest's logger: a failed attempt that is tried again is one
 * `warn` line, one that is not is an `error` line with the stack. Nothing fails silently, and what went
 * well is not worth a line.
 */
export class WorkerLog implements WorkerObserver {
  private readonly logger = new RqLogger('RqWorker');

  constructor(private readonly root: string) {}

  started(queues: readonly string[], concurrency = 10): void {
    this.logger.log(messages.workerStarted(this.root, queues, concurrency));
  }

  stopped(queues: readonly string[]): void {
    this.logger.log(messages.workerStopped(this.root, queues));
  }

  jobRetrying(event: JobRetryingEvent): void {
    this.logger.warn(messages.jobRetrying(event));
  }

  jobFailed(event: JobFailedEvent): void {
    this.logger.error(messages.jobFailed(event), event.failure.stack);
  }

  jobCanceled(event: ExecutionEvent & { readonly reason: string }): void {
    this.logger.warn(messages.jobCanceled(event));
  }

  jobLost(event: ExecutionEvent): void {
    this.logger.warn(messages.jobLost(event));
  }

  jobRecovered(event: Parameters<NonNullable<WorkerObserver['jobRecovered']>>[0]): void {
    this.logger.warn(messages.jobRecovered(event));
  }

  jobDropped(event: Parameters<NonNullable<WorkerObserver['jobDropped']>>[0]): void {
    this.logger.warn(messages.jobDropped(event));
  }

  problem(event: { readonly message: string; readonly error?: unknown }): void {
    this.logger.error(messages.problem(event));
  }

  problemSolved(event: { readonly message: string }): void {
    this.logger.log(messages.problemSolved(event));
  }
}
