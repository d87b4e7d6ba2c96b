/** How this room words what an operator reads: settings of Redis and of the connection that are not good for jobs. */

export const redisTooOld = (version: string) =>
  `Redis ${version} is too old: 6.2 or newer is needed`;

export const redisEvicts = (policy: string) =>
  `Redis may delete jobs when its memory is full (maxmemory-policy ${policy}): set it to noeviction`;

export const redisIsReplica =
  'this Redis is a replica and cannot be written to: connect to its master';

export const optionOverruled = (option: string, why: string) =>
  `connection.${option} is overruled (${why})`;

export const notForThreads = (options: readonly string[]) =>
  `connection.${options.join(', connection.')} cannot be handed to a thread`;

export const noLeaseGuard = (why: string) =>
  `leases are not kept while a handler blocks the event loop: ${why}. ` +
  'A job that computes for longer than `lease` may run a second time: give such jobs a longer lease';
