import type { Connections } from './connections.js';
import * as messages from './messages.js';

/**
 * What is wrong with a Redis for jobs, as it is set up: each a sentence that says what to change. Jobs that vanish
 * because Redis was told to evict them are the worst kind of loss: nobody is told.
 */
export async function auditServer(connections: Connections): Promise<string[]> {
  let info: string;
  try {
    info = await connections.run('read the settings of Redis', (redis) => redis.info());
  } catch {
    // No right to ask is no reason to complain.
    return [];
  }
  const value = (name: string) => new RegExp(`^${name}:(.*?)\r?$`, 'm').exec(info)?.[1];
  const warnings: string[] = [];
  const version = value('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (version && (major < 6 || (major === 6 && minor < 2))) {
    warnings.push(messages.redisTooOld(version));
  }
  const policy = value('maxmemory_policy');
  if (policy && policy !== 'noeviction') {
    warnings.push(messages.redisEvicts(policy));
  }
  if (value('role') === 'slave') {
    warnings.push(messages.redisIsReplica);
  }
  return warnings;
}
