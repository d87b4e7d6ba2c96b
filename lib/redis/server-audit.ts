import type { Redis } from 'ioredis';
import { type Finding, UnusableRedisError } from '../job/index.js';
import type { RedisAccess } from './access.js';
import { HOW_TO_ALLOW, type Rights, lackOf } from './missing-rights.js';

/**
 * Looks, before anything is written, whether a Redis can hold jobs: version, role, settings, and the rights of our user.
 * Jobs that vanish because Redis was told to evict them are the worst kind of loss: nobody is told.
 * @param isNode it is to be a node of a cluster
 */
export async function auditServer(
  connections: RedisAccess,
  needed: Rights,
  isNode = false,
): Promise<Finding[]> {
  const info = parseInfo(await ask(connections, (redis) => redis.info()));
  const settings = await ask(connections, (redis) =>
    redis.config('GET', 'stop-writes-on-bgsave-error'),
  );
  const stopsWrites = Array.isArray(settings) && settings[1] === 'yes';
  const place = { isNode, layout: connections.layout };
  const findings = serverFindings(info, stopsWrites, place);
  return [...findings, ...(await rightsFindings(connections, needed))];
}

/**
 * One data set has one layout: jobs of the other one would never be found.
 * @param layout the one that it must not have
 * @param marks keys that only data of that layout have
 */
export async function layoutFindings(
  access: RedisAccess,
  layout: RedisAccess['layout'],
  marks: readonly string[],
): Promise<Finding[]> {
  const found = await Promise.all(marks.map((mark) => ask(access, (redis) => redis.exists(mark))));
  if (!found.includes(1)) return [];
  const fix =
    layout === 'cluster'
      ? "give layout: 'cluster' beside connection, or another prefix or database"
      : "leave out layout: 'cluster', or give another prefix or database beside it";
  const sentence = `it holds jobs in the ${layout} layout`;
  return [{ severity: 'fatal', code: 'other-layout', sentence, fix }];
}

/** The findings that need no more than a word. @throws UnusableRedisError when there is one that keeps jobs from working */
export function warningsOf(findings: readonly Finding[]): string[] {
  const obstacles = findings.filter(({ severity }) => severity !== 'warning');
  if (obstacles.length > 0) throw new UnusableRedisError({ findings: obstacles });
  return findings.map(({ sentence, fix }) => `${sentence}: ${fix}`);
}

/** What is wrong with a server as `INFO` shows it; what it does not show is taken to be right. */
export function serverFindings(
  info: ReadonlyMap<string, string>,
  stopsWrites: boolean,
  place: AuditedPlace = { isNode: false, layout: 'shared' },
): Finding[] {
  const findings: Finding[] = [];
  const add = (severity: Finding['severity'], code: string, sentence: string, fix: string) =>
    findings.push({ severity, code, sentence, fix });
  const version = info.get('redis_version') ?? '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (version && (major < 6 || (major === 6 && minor < 2))) {
    add('fatal', 'too-old', `Redis ${version} is too old`, '6.2 or newer is needed');
  } else if (version && major < 7 && place.layout === 'cluster') {
    const sentence = `Redis ${version} is too old for the cluster layout`;
    add('fatal', 'too-old', sentence, '7.0 or newer is needed');
  }
  const valkey = info.get('valkey_version');
  const newest = Number((valkey ?? version).split('.')[0]);
  if (valkey ? newest < 8 || newest > 9 : newest > 8) {
    const sentence = `${valkey ? 'Valkey' : 'Redis'} ${valkey ?? version} is a version that was not tested`;
    add('warning', 'untested', sentence, 'tested are Redis 7 and 8, Valkey 8 and 9');
  }
  if (info.get('role') === 'slave') {
    const fix = 'connect to its primary, or by Sentinel';
    add('fatal', 'replica', 'it is a replica and takes no writes', fix);
  }
  if (info.get('cluster_enabled') === '1' && !place.isNode) {
    const fix = 'give connection: { cluster: { nodes: [...] } }, or use a single Redis';
    add('fatal', 'cluster', 'it is a node of a cluster, whose keys are spread', fix);
  }
  if (info.get('cluster_enabled') === '0' && place.isNode) {
    add('fatal', 'no-cluster', 'it is no node of a cluster', 'give its address as connection');
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

/** What a server is to be. */
export interface AuditedPlace {
  /** A node of a cluster. */
  readonly isNode: boolean;
  readonly layout: RedisAccess['layout'];
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

async function rightsFindings(connections: RedisAccess, needed: Rights): Promise<Finding[]> {
  const missing = await connections.rights.missing(needed);
  if (missing.length === 0) return [];
  const sentence = lackOf(missing);
  return [{ severity: 'fatal', code: 'missing-rights', sentence, fix: HOW_TO_ALLOW }];
}

async function ask<Reply>(
  connections: RedisAccess,
  question: (redis: Redis) => Promise<Reply>,
): Promise<Reply | undefined> {
  try {
    return await connections.run('read the settings of Redis', question);
  } catch {
    // No right to ask is no reason to complain.
    return undefined;
  }
}
