import { RunningJob } from './running-job.js';

/**
 * One of the jobs of a batch. Its handler may decide about each by itself; those that it does not decide about end as the
 * batch does.
 *
 * ```ts
 * @Job({ queue: 'events', batch: { size: 100, wait: '1s' } })
 * async index(events: Event[], jobs: BatchedJob<Event>[]) {
 *   const { errors } = await search.bulk(events);
 *   for (const [index, error] of errors) jobs[index].fail(error); // the others finish
 * }
 * ```
 */
export class BatchedJob<
  Data = unknown,
  Result = unknown,
  Parents extends readonly unknown[] = readonly unknown[],
> extends RunningJob<Data, Result, Parents> {
  #decision: Decision | undefined;
  #isDecided = false;
  #failure: { readonly error: unknown } | undefined;

  /**
   * This job ends as if its handler had thrown this: an error is tried again as its retry policy says, and `FailJob`,
   * `RetryJob`, `SnoozeJob` and `CancelJob` do what they always do. The first decision counts.
   */
  fail(error: unknown): void {
    if (!this.#isDecided) this.#failure = { error };
    this.#isDecided = true;
    this.#decision?.fail(error);
  }

  /** This job finishes now, whatever becomes of the others. The first decision counts. */
  finish(result?: Result): void {
    this.#isDecided = true;
    this.#decision?.succeed(result);
  }

  /** @internal */
  get isDecided(): boolean {
    return this.#isDecided;
  }

  /** What it was failed with; undefined: it was not. @internal */
  get failure(): { readonly error: unknown } | undefined {
    return this.#failure;
  }

  /** @internal */
  decidedBy(decision: Decision): void {
    this.#decision = decision;
  }
}

/** What settles the job; of two calls the first counts. */
interface Decision {
  succeed(value: unknown): void;
  fail(error: unknown): void;
}
