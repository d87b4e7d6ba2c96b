import type { RedisOptions } from 'ioredis';
import { nearestName } from '../job/index.js';

/**
 * Which options of ioredis may be given with `connection`, and what becomes of each. Most are obeyed; some must be as we
 * need them (a line in the log says so); some would break jobs and are refused.
 */

/** Options that are handed on to ioredis as they are. */
export const OBEYED = {
  host: 'text',
  port: 'number',
  path: 'text',
  family: 'number',
  db: 'number',
  username: 'text',
  password: 'text',
  tls: 'other',
  connectionName: 'text',
  keepAlive: 'number',
  noDelay: 'flag',
  protocol: 'number',
  disableClientInfo: 'flag',
  clientInfoTag: 'text',
  showFriendlyErrorStack: 'flag',
  Connector: 'other',
  name: 'text',
  role: 'text',
  sentinels: 'other',
  sentinelUsername: 'text',
  sentinelPassword: 'text',
  sentinelCommandTimeout: 'number',
  sentinelReconnectStrategy: 'other',
  sentinelMaxConnections: 'number',
  sentinelTLS: 'other',
  enableTLSForSentinelMode: 'flag',
  updateSentinels: 'flag',
  failoverDetector: 'flag',
  natMap: 'other',
} as const satisfies Partial<Record<keyof RedisOptions, OptionKind>>;

/** Options that are as we need them, whatever is given, with the reason. */
export const RULED = {
  enableOfflineQueue: 'a command for a Redis that is away is refused in time',
  maxRetriesPerRequest: 'a command for a Redis that is away is refused in time',
  autoResendUnfulfilledCommands: 'a command whose answer was lost is never sent twice unasked',
  autoResubscribe: 'channels are always subscribed to again',
  lazyConnect: 'connections are opened when they are needed',
  commandTimeout: 'give `commandTimeout` to the module, beside `connection`',
  connectTimeout: 'give `connectTimeout` to the module, beside `connection`',
  socketTimeout: 'a silent link is noticed by `commandTimeout`',
  blockingTimeout: 'a silent link is noticed by `commandTimeout`',
  blockingTimeoutGrace: 'a silent link is noticed by `commandTimeout`',
  disconnectTimeout: 'closing never waits for a Redis that does not answer',
  retryStrategy: 'the connection is made again for as long as the application runs',
  sentinelRetryStrategy: 'Sentinels are asked again for as long as the application runs',
  reconnectOnError: 'a Redis that has become a replica is left by itself',
  enableReadyCheck: 'jobs wait until Redis has loaded its data',
  maxLoadingRetryTime: 'jobs wait until Redis has loaded its data',
  enableAutoPipelining: 'commands are put together here',
  autoPipeliningIgnoredCommands: 'commands are put together here',
  stringNumbers: 'replies are read as Redis gives them',
  replyMapping: 'replies are read as Redis gives them',
  scripts: 'no script of yours runs on these connections',
  himportFieldsets: 'no command of yours runs on these connections',
  offlineQueue: 'ioredis does not look at it',
  commandQueue: 'ioredis does not look at it',
  preferredSlaves: 'jobs need the primary',
} as const satisfies Partial<Record<keyof RedisOptions, string>>;

/** What is the case in any event: whoever gives it is not overruled. */
export const AS_RULED: Readonly<Record<string, unknown>> = {
  enableOfflineQueue: false,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: true,
  lazyConnect: true,
  enableReadyCheck: true,
  enableAutoPipelining: false,
  stringNumbers: false,
  replyMapping: 'legacy',
};

/** Options with which no job could be stored or run, with what to do; only for values other than these. */
export const REFUSED: Readonly<
  Record<string, { readonly but: unknown; readonly problem: string }>
> = {
  keyPrefix: {
    but: '',
    problem:
      "cannot be used (the scripts' keys would not have it); give `prefix` to the module instead",
  },
  readOnly: { but: false, problem: 'cannot be used: jobs are written' },
  monitor: { but: false, problem: 'cannot be used: such a connection runs no commands' },
};

/** Words that people write for an option of another name. */
export const MISTAKEN: Readonly<Record<string, string>> = {
  url: 'give the URL itself as `connection`',
  uri: 'give the URL itself as `connection`',
  hostname: 'did you mean `host`?',
  socket: 'give its `host` and `port` beside the other options',
  database: 'did you mean `db`?',
  user: 'did you mean `username`?',
  pass: 'did you mean `password`?',
  auth: 'did you mean `password`?',
  ssl: 'did you mean `tls`?',
  prefix: 'give `prefix` to the module, beside `connection`',
  nodes: 'give connection: { cluster: { nodes } }',
  masterName: 'did you mean `name`?',
};

export type OptionKind = 'text' | 'number' | 'flag' | 'other';

/** The known option that is spelt most like this one; undefined when none is near. */
export function nearestOption(name: string): string | undefined {
  return nearestName(name, [...Object.keys(OBEYED), ...Object.keys(RULED)]);
}
