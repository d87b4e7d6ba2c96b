import type { ArgumentsHost } from '@nestjs/common';
import { ShortForm } from '../../job/index.js';
import type { RunningJob } from '../../worker/index.js';
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
  private constructor(
    /** The job's data, as it came out of Redis. */
    readonly data: Data,
    readonly job: RunningJob<Data>,
  ) {
    super();
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

  /** What JSON and logs show of it: the job, not its data. */
  toJSON(): { readonly job: RunningJob<Data> } {
    return { job: this.job };
  }
}
