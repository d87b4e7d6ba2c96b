import type { Durability } from '../job/index.js';
import type { JobRecord } from '../wire/job-record.js';

/** Contract for what is told only when replicas have it (`durability`): what is read here, so many replicas have, too. */
export interface ReplicatedStore {
  /**
   * The job; undefined: no such job.
   * @throws NotReplicatedError, RqConnectionError, RedisReplyError
   */
  job(queue: string, id: string, durability: Durability): Promise<JobRecord | undefined>;
  /**
   * Which of a worker's calls with outcomes have been carried out there.
   * @param token begins the names of the worker's executions
   * @throws NotReplicatedError, RqConnectionError, RedisReplyError
   */
  haveCalls(
    queue: string,
    token: string,
    calls: readonly NotedCall[],
    durability: Durability,
  ): Promise<readonly boolean[]>;
}

/** A call with outcomes, as its note names it: see OutcomeCall. */
export interface NotedCall {
  readonly slot: number;
  readonly number: number;
}
