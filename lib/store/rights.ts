import type { Rights } from '../redis/missing-rights.js';
import type { Keyspace } from '../wire/keyspace.js';
import {
  beat,
  control,
  empty,
  enqueue,
  exchange,
  group,
  lanes,
  limitUses,
  limits,
  list,
  mayStart,
  overview,
  position,
  recover,
  release,
  renew,
  schedule,
  schedules,
  tell,
  undelete,
  waits,
  watch,
  workers,
} from './scripts/compiled.js';

/**
 * What the user of a process must be allowed to do in Redis, by its role. It is what its scripts run, as they are
 * compiled, and the plain commands beside them. docs/redis.md shows the same as lines for an ACL.
 */
export function rightsOf(
  role: Role,
  { prefix, channels }: Keyspace,
  layout: 'shared' | 'cluster' = 'shared',
): Rights {
  const shared = COMMANDS[role];
  const commands = layout === 'shared' ? shared : ofCluster(shared);
  const keys = [
    'job:',
    'queue:',
    'wip:',
    'scheduled:',
    'finished:',
    'failed:',
    'canceled:',
    'nrq:',
  ];
  const others = ['deferred:', 'results:', 'queues', 'cron_scheduler:', 'cron_schedulers'];
  const history = ['cron_job:', 'cron_jobs', 'group:', 'groups'];
  const workers =
    role === 'worker' ? ['worker:', 'workers', 'workers:', 'scheduler-lock:', 'suspended'] : [];
  return {
    commands: [...new Set(commands)].toSorted(),
    keys: [...keys, ...others, ...history, ...workers].map((key) =>
      key.endsWith(':') ? `${prefix}${key}*` : prefix + key,
    ),
    channels: [
      ...['wake', 'settled', 'events', 'commands', 'group'].map((name) => `${channels}${name}:*`),
      `${channels}schedules`,
      `${prefix}pubsub:*`,
    ],
  };
}

/** Messages go to the channels of slots. */
function ofCluster(commands: readonly string[]): readonly string[] {
  const others = new Map([
    ['publish', 'spublish'],
    ['subscribe', 'ssubscribe'],
    ['unsubscribe', 'sunsubscribe'],
    ['pubsub|numsub', 'pubsub|shardnumsub'],
  ]);
  return commands.map((one) => others.get(one) ?? one);
}

/** `worker`: one that also enqueues. `watcher`: a dashboard, a program of metrics, that changes nothing. */
export type Role = 'producer' | 'worker' | 'watcher';

const PRODUCER: readonly string[] = [
  ...[
    enqueue,
    control,
    release,
    lanes,
    limitUses,
    limits,
    mayStart,
    waits,
    position,
    list,
    empty,
    watch,
    schedule,
    schedules,
    overview,
    workers,
    group,
    undelete,
  ].flatMap((script) => script.commands),
  ...'eval evalsha multi exec ping subscribe unsubscribe publish'.split(' '),
  ...'hgetall lpos lrange llen zcard zrange smembers xrange sscan'.split(' '),
  ...'set get del exists info hset hdel hincrby pexpire zcount time'.split(' '),
];

const WORKER: readonly string[] = [
  ...[exchange, renew, recover, tell, beat].flatMap((script) => script.commands),
  ...'blmove client|id client|info client|unblock time'.split(' '),
  ...'get srem hset expire zadd'.split(' '),
];

/** Scripts that read share parts with those that write; a watcher runs what reads. */
const WRITES: ReadonlySet<string> = new Set(
  'hdel hincrby hset lpush lrem ltrim publish rpush set zadd zrem'.split(' '),
);

const WATCHER: readonly string[] = [
  ...[list, lanes, limitUses, mayStart, overview, position, waits, workers].flatMap(
    ({ commands }) => commands.filter((command) => !WRITES.has(command)),
  ),
  ...'eval evalsha exec multi ping subscribe unsubscribe'.split(' '),
  ...'hgetall llen lrange smembers sscan xrange zcard zrange'.split(' '),
  ...'exists info time'.split(' '),
];

const COMMANDS: Readonly<Record<Role, readonly string[]>> = {
  producer: PRODUCER,
  worker: [...PRODUCER, ...WORKER],
  watcher: WATCHER,
};
