/** What a store in Redis may be told. */
export interface RedisJobStoreOptions {
  /** Default `rq:`, RQ's own; any other gives up sharing with Python. */
  readonly prefix?: string;
  /**
   * Python programs and RQ's tools read this Redis: our own jobs, too, get what costs memory and what only they read
   * (descriptions, results in RQ's streams, records of executions). Default false.
   */
  readonly sharedWithPython?: boolean;
  /** The most bytes that data, meta or a result may have; default 10 MiB. */
  readonly maxPayloadBytes?: number;
  /** False: `durability` is not looked at; for servers without replicas, such as that of tests. Default true. */
  readonly waitsForReplicas?: boolean;
}
