import { type Finding, UnusableRedisError } from '../job/index.js';
import type { Connections } from './connections.js';
import { HOW_TO_ALLOW, type Rights, lackOf } from './missing-rights.js';

/**
 * Looks, before anything is written, whether a Redis can hold jobs: version, role, settings, and the rights of our user.
 * Jobs that vanish because Redis was told to evict them are the worst kind of loss: nobody is told.
 */
export async function auditServer(connections: Connections, needed: Rights): Promise<Finding[]> {
  const info = parseInfo(await ask(connections, (redis) => redis.info()));
  const settings = await ask(connections, (redis) =>
    redis.config('GET', 'stop-writes-on-bgsave-error'),
  );
  const stopsWrites = Array.isArray(settings) && settings[1] === 'yes';
  return [...serverFindings(info, stopsWrites), ...(await rightsFindings(connections, needed))];
}

/** The findings that need no more than a word. @throws UnusableRedisError when there is one that keeps jobs from working */
export function warningsOf(findings: readonly Finding[]): string[] {
  const obstacles = findings.filter(({ severity }) => severity !== 'warning');
  if (obstacles.length > 0) throw new UnusableRedisError({ findings: obstacles });
  return findings.map(({ sentence, fix }) => `${sentence}: ${fix}`);
}

/** What is wrong with a server as `INFO` shows it; what it does not show is taken to be right. */
export function serverFindings(info: ReadonlyMap<string, string>, stopsWrites: boolean): Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], code: string, sentence: string, fix: string) =>
    findings.push({ severity, code, sentence, fix });
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (version && (major < 6 || (major === 6 && minor < 2))) {
    add('fatal', 'too-old', `Redis ${version} is too old`, '6.2 or newer is needed');
  }
  if (info.get('role') === 'slave') {
    const fix = 'connect to its primary, or by Sentinel';
    add('fatal', 'replica', 'it is a replica and takes no writes', fix);
  }
  if (info.get('cluster_enabled') === '1') {
    const fix = 'use a single Redis, with replicas and Sentinel if need be';
    add('fatal', 'cluster', 'it is a node of a cluster, whose keys are spread', fix);
  }
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  const limit = Number(info.get('maxmemory') ?? 0);
  if (policy !== 'noeviction') {
    const sentence = `Redis may delete jobs when its memory is full (maxmemory-policy ${policy})`;
    add('warning', 'eviction', sentence, 'set it to noeviction');
  } else if (limit > 0 && Number(info.get('used_memory')) > limit) {
    add('passing', 'memory-full', 'its memory is full', 'raise maxmemory, or free memory');
  }
  const failed =
    info.get('aof_last_write_status') === 'err' ||
    (info.get('rdb_last_bgsave_status') === 'err' && stopsWrites);
  if (failed) {
    const fix = 'look at its log and its disk';
    add('passing', 'no-persistence', 'it cannot save its data and takes no writes (MISCONF)', fix);
  }
  return findings;
}

export function parseInfo(text: string | undefined): Map<string, string> {
  const lines = (text ?? '').split(/\r?\n/);
  return new Map(
    lines.flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );
}

async function rightsFindings(connections: Connections, needed: Rights): Promise<Finding[]> {
  const missing = await connections.rights.missing(needed);
  if (missing.length === 0) return [];
  const sentence = lackOf(missing);
  return [{ severity: 'fatal', code: 'missing-rights', sentence, fix: HOW_TO_ALLOW }];
}

async function ask<Reply>(
  connections: Connections,
  question: Parameters<typeof connections.run<Reply>>[1],
): Promise<Reply | undefined> {
  try {
    return await connections.run('read the settings of Redis', question);
  } catch {
    // No right to ask is no reason to complain.
    return undefined;
  }
}
