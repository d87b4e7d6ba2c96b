import type { ArgumentsHost } from '@nestjs/common';
import { ShortForm } from '../../job/index.js';
import type { BatchedJob, RunningJob } from '../../worker/index.js';
import { RQ_CONTEXT_TYPE } from '../nest-internals.js';

/**
 * What a guard, interceptor or filter sees of the job: Nest's `host.switchToHttp()` for jobs.
 *
 * @example
 * canActivate(context: ExecutionContext) {
 *   if (context.getType<string>() !== 'rq') return true;
 *   return RqContext.of<ImageDto>(context).data.path.startsWith('/uploads/');
 * }
 */
export class RqContext<Data = unknown> extends ShortForm {
  readonly #job: RunningJob<Data> | readonly BatchedJob[];

  private constructor(
    /** The job's data, as it came out of Redis; of a handler that takes batches the list of all jobs' data. */
    readonly data: Data,
    job: RunningJob<Data> | readonly BatchedJob[],
  ) {
    super();
    this.#job = job;
  }

  /** @throws TypeError when the handler takes batches: see `jobs` */
  get job(): RunningJob<Data> {
    if (!isList(this.#job)) return this.#job;
    throw new TypeError('RqContext.job: the handler takes batches, look at RqContext.jobs');
  }

  /** All jobs of the batch; of other handlers the one job. */
  get jobs(): readonly RunningJob[] {
    return isList(this.#job) ? this.#job : [this.#job as RunningJob];
  }

  /**
   * @throws TypeError when the context is not that of a job (`host.getType() !== 'rq'`)
   */
  static of<Data = unknown>(host: ArgumentsHost): RqContext<Data> {
    const type = host.getType<string>();
    if (type !== RQ_CONTEXT_TYPE) {
      throw new TypeError(
        `RqContext.of: the context is of type "${type}", not "${RQ_CONTEXT_TYPE}"; look at host.getType() first`,
      );
    }
    return new RqContext<Data>(host.getArgByIndex(0), host.getArgByIndex(1));
  }

  /** What JSON and logs show of it: the jobs, not their data. */
  toJSON(): { readonly job: RunningJob<Data> } | { readonly jobs: readonly RunningJob[] } {
    return isList(this.#job) ? { jobs: this.jobs } : { job: this.job };
  }
}

function isList<One>(one: One | readonly BatchedJob[]): one is readonly BatchedJob[] {
  return Array.isArray(one);
}
