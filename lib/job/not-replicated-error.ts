import { formatDuration } from './duration.js';
import { RqConnectionError } from './errors.js';

/**
 * The jobs are stored, but too few replicas had them in time (`durability`): should Redis fail now, they may be lost. As
 * with every uncertain RqConnectionError, repeat the call with the ids of `jobIds`: a job that is there is not stored
 * twice, and the repeated call waits for the replicas again.
 */
export class NotReplicatedError extends RqConnectionError {
  override readonly code = 'RQ_NOT_REPLICATED';
  /** How many replicas were to have the jobs: `durability.replicas`. */
  readonly replicas: number;
  /** How many had them when the time was over. */
  readonly reached: number;
  readonly #details: NotReplicatedDetails;

  /**
   * @param details.action what was tried, as in "could not ...": `enqueue on queue "images"`
   * @param details.timeout milliseconds for which the call has waited for the replicas
   */
  constructor(details: NotReplicatedDetails) {
    const { action, replicas, reached, timeout, jobIds, howToRepeat } = details;
    const reason = new Error(
      `${reached} of ${replicas} replicas had it within ${formatDuration(timeout)} (durability)`,
    );
    super({ action, reason, uncertain: true, jobIds, howToRepeat });
    this.replicas = replicas;
    this.reached = reached;
    this.#details = details;
  }

  override of(jobIds: readonly string[], howToRepeat?: string): NotReplicatedError {
    return new NotReplicatedError({ ...this.#details, jobIds, howToRepeat });
  }
}

interface NotReplicatedDetails {
  readonly action: string;
  readonly replicas: number;
  readonly reached: number;
  readonly timeout: number;
  readonly jobIds?: readonly string[];
  readonly howToRepeat?: string;
}
