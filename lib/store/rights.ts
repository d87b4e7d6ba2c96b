import type { Rights } from '../redis/server-audit.js';
import type { Keyspace } from '../wire/keyspace.js';
import * as scripts from './scripts/compiled.js';

/**
 * What the user of a process must be allowed to do in Redis, by its role: what its scripts run, as they are compiled, and
 * the plain commands beside them. docs/redis.md shows the same as lines for an ACL.
 */
export function rightsOf(role: Role, { prefix, channels }: Keyspace): Rights {
  const of = (list: readonly CompiledName[]) => list.flatMap((name) => scripts[name].commands);
  const commands =
    role === 'producer'
      ? [...of(PRODUCER_SCRIPTS), ...PRODUCER_COMMANDS]
      : [...of(PRODUCER_SCRIPTS), ...PRODUCER_COMMANDS, ...of(WORKER_SCRIPTS), ...WORKER_COMMANDS];
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
  const others = ['deferred:', 'results:', 'queues'];
  const workers = role === 'worker' ? ['worker:', 'workers', 'scheduler-lock:', 'suspended'] : [];
  return {
    commands: [...new Set(commands)].toSorted(),
    keys: [...keys, ...others, ...workers].map((key) =>
      key.endsWith(':') ? `${prefix}${key}*` : prefix + key,
    ),
    channels: [
      ...['wake', 'settled', 'events', 'commands'].map((name) => `${channels}${name}:*`),
      `${prefix}pubsub:*`,
    ],
  };
}

/** `worker`: one that also enqueues. */
export type Role = 'producer' | 'worker';

type CompiledName = keyof typeof scripts;

const PRODUCER_SCRIPTS: readonly CompiledName[] = ['enqueue', 'control', 'empty', 'watch'];
const WORKER_SCRIPTS: readonly CompiledName[] = ['exchange', 'renew', 'recover', 'progress'];

const PRODUCER_COMMANDS = [
  ...['eval', 'evalsha', 'multi', 'exec', 'ping', 'subscribe', 'unsubscribe', 'publish'],
  ...['hgetall', 'lpos', 'lrange', 'llen', 'zcard', 'zrange', 'smembers', 'xrange'],
  ...['set', 'del', 'exists', 'info'],
];

const WORKER_COMMANDS = [
  ...['blmove', 'client|id', 'client|info', 'client|unblock', 'time'],
  ...['get', 'sadd', 'srem', 'hset', 'hincrby', 'hincrbyfloat', 'expire', 'zadd'],
];
