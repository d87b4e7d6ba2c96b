import { ShortForm } from '../job/index.js';
import type { JobStore, NewJob } from '../store/index.js';
import type { RqJob } from './rq-job.js';

/**
 * A job that has an id and is not stored yet, so that others can be made to wait for it before anything is enqueued:
 *
 * ```ts
 * const resize = images.prepare('resize', { path });
 * const notify = mail.prepare('notify', { to }, { dependsOn: resize });
 * await rq.enqueueMany([resize, notify]); // one step: both or none
 * ```
 *
 * It is made by `queue.prepare()`, is enqueued once, and is no secret: it may be logged, and shows no data.
 */
export class PreparedJob<Result = unknown> extends ShortForm {
  readonly #preparation: Preparation;
  readonly #handle: RqJob<Result>;

  constructor(
    /** Name of the queue that it will be put into. */
    readonly queue: string,
    readonly id: string,
    readonly name: string,
    preparation: Preparation,
    handle: RqJob<Result>,
  ) {
    super();
    this.#preparation = preparation;
    this.#handle = handle;
  }

  /** The handle of the job. Until it is enqueued, there is no such job: its methods throw `JobNotFoundError`. */
  handle(): RqJob<Result> {
    return this.#handle;
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly queue: string; readonly id: string; readonly name: string } {
    const { queue, id, name } = this;
    return { queue, id, name };
  }

  /** @internal */
  static preparationOf(job: PreparedJob): Preparation {
    return job.#preparation;
  }
}

/** What a prepared job is made of, and how far it is on its way into Redis. */
export class Preparation {
  /**
   * `prepared`: not stored; `sent`: a call with it is under way; `stored`: Redis has it; `uncertain`: it was sent, and
   * no answer came.
   */
  state: 'prepared' | 'sent' | 'stored' | 'uncertain' = 'prepared';

  /** @param parents those that it waits for and that were prepared, too */
  constructor(
    readonly job: NewJob,
    readonly store: JobStore,
    readonly parents: readonly Preparation[],
  ) {}

  /** The job as it is to be stored now: a repeated call leaves alone what an earlier one has stored. */
  get toStore(): NewJob {
    const { job } = this;
    return this.state === 'uncertain' && job.check === 'new' ? { ...job, check: 'once' } : job;
  }
}
