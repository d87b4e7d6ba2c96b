import { RqError } from './errors.js';

/** A handler of batches returned something else than a list with a result for each of its jobs: they fail. */
export class BatchResultError extends RqError {
  readonly code = 'RQ_BATCH_RESULT';

  /**
   * @param details.name of the handler
   * @param details.jobs how many there were
   * @param details.results how many it returned; undefined: what it returned is no list
   */
  constructor(details: { name: string; jobs: number; results: number | undefined }) {
    const { name, jobs, results } = details;
    const returned = results === undefined ? 'a value that is no list' : `${results} results`;
    super(
      `Handler "${name}" returned ${returned} for a batch of ${jobs} jobs. Return nothing, or a list with one result for ` +
        'each job, in their order. The jobs have failed; requeue those that are to run again.',
    );
  }
}
