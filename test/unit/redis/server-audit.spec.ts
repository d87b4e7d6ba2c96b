import { parseInfo, serverFindings, warningsOf } from '../../../lib/redis/server-audit.js';

const GOOD =
  'redis_version:7.0.15\r\nrole:master\r\ncluster_enabled:0\r\nmaxmemory_policy:noeviction\r\n';
const found = (text: string, stopsWrites = true) =>
  serverFindings(parseInfo(GOOD + text), stopsWrites);

describe('a look at a Redis', () => {
  it('has nothing against one that is well, or shows nothing', () => {
    expect(found('')).toEqual([]);
    expect(serverFindings(parseInfo(undefined), false)).toEqual([]);
  });

  it.each([
    [
      'redis_version:6.0.16',
      'fatal',
      'too-old',
      'Redis 6.0.16 is too old: 6.2 or newer is needed.',
    ],
    ['redis_version:5.0.0', 'fatal', 'too-old', 'Redis 5.0.0'],
    [
      'role:slave',
      'fatal',
      'replica',
      'it is a replica and takes no writes: connect to its primary',
    ],
    ['cluster_enabled:1', 'fatal', 'cluster', 'it is a node of a cluster'],
    ['maxmemory:10\r\nused_memory:11', 'passing', 'memory-full', 'its memory is full: raise'],
    ['rdb_last_bgsave_status:err', 'passing', 'no-persistence', 'MISCONF'],
    ['aof_last_write_status:err', 'passing', 'no-persistence', 'MISCONF'],
  ])('refuses %s', (text, severity, code, sentence) => {
    const findings = found(text);
    expect(findings).toEqual([expect.objectContaining({ severity, code })]);
    expect(() => warningsOf(findings)).toThrow(sentence);
    expect(() => warningsOf(findings)).toThrow(
      expect.objectContaining({
        code: 'RQ_UNUSABLE_REDIS',
        findings: [code],
        mayPass: severity === 'passing',
      }) as Error,
    );
  });

  it('only warns of what does not keep jobs from running', () => {
    const findings = found('maxmemory_policy:allkeys-lru\r\nmaxmemory:10\r\nused_memory:11');
    expect(warningsOf(findings)).toEqual([
      'Redis may delete jobs when its memory is full (maxmemory-policy allkeys-lru): set it to noeviction',
    ]);
    expect(found('redis_version:6.2.0')).toEqual([]);
    expect(found('redis_version:8.0.6')).toEqual([]);
    expect(found('redis_version:7.2.4\r\nvalkey_version:9.1.0')).toEqual([]);
    expect(warningsOf(found('redis_version:9.0.0'))).toEqual([
      'Redis 9.0.0 is a version that was not tested: tested are Redis 7 and 8, Valkey 8 and 9',
    ]);
    expect(warningsOf(found('redis_version:7.2.4\r\nvalkey_version:10.0.1'))).toEqual([
      expect.stringContaining('Valkey 10.0.1 is a version that was not tested'),
    ]);
    expect(found('rdb_last_bgsave_status:err', false)).toEqual([]);
  });
});
