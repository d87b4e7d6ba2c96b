// The users of the fault tests: workers and producers may do what docs/redis.md says, and nothing else. So whatever a
// test breaks, what follows works with these rights, too.
import { rightsOf } from '../../lib/store/rights.js';
import { Keyspace } from '../../lib/wire/index.js';
import type { RedisOptions } from 'ioredis';

export type User = 'producer' | 'worker';

/** Arguments of a server that knows them, also after it was killed and started again. */
export function userArguments(): string[] {
  return (['producer', 'worker'] as const).flatMap((role) => {
    const { commands } = rightsOf(role, new Keyspace());
    const rights = [...commands, 'client|setname', 'select', 'wait'].map(
      (command) => `+${command}`,
    );
    return ['--user', `rq-${role}`, 'on', `>${role}`, '~rq:*', '&rq:*', ...rights];
  });
}

/** The same place, as this user; a place that names a user already is left as it is. */
export function asUser(place: string | RedisOptions, user: User): string | RedisOptions {
  if (typeof place !== 'string') return { username: `rq-${user}`, password: user, ...place };
  const hasUser = place.includes('@') || !place.startsWith('redis://');
  return hasUser ? place : place.replace('//', `//rq-${user}:${user}@`);
}
