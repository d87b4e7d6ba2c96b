import { Keyspace } from '../../../lib/wire/keyspace.js';

describe('key names', () => {
  const keys = new Keyspace();

  it("are RQ's, as its tools look for them", () => {
    expect(keys).toMatchObject({
      queues: 'rq:queues',
      workers: 'rq:workers',
      suspended: 'rq:suspended',
    });
    expect(keys.job('J')).toBe('rq:job:J');
    expect(keys.dependents('J')).toBe('rq:job:J:dependents');
    expect(keys.dependencies('J')).toBe('rq:job::J:dependencies');
    expect(keys.results('J')).toBe('rq:results:J');
    expect(keys.worker('W')).toBe('rq:worker:W');
    expect(keys.workersOf('Q')).toBe('rq:workers:Q');
    expect(keys.commands('W')).toBe('rq:pubsub:W');
    expect(keys.queue('Q')).toMatchObject({
      list: 'rq:queue:Q',
      intermediate: 'rq:queue:Q:intermediate',
      firstSeenPrefix: 'rq:queue:Q:intermediate:first_seen:',
      started: 'rq:wip:Q',
      finished: 'rq:finished:Q',
      failed: 'rq:failed:Q',
      deferred: 'rq:deferred:Q',
      scheduled: 'rq:scheduled:Q',
      canceled: 'rq:canceled:Q',
    });
  });

  it('are our own where RQ has none, and cannot collide with its', () => {
    const { paused, waiting, wake, settled } = keys.queue('Q');
    for (const key of [paused, waiting, wake, settled]) expect(key).toMatch(/^rq:nrq:\w+:Q$/);
  });

  it('lead back to the queue', () => {
    expect(keys.queueName('rq:queue:a:b')).toBe('a:b');
    expect(keys.queueName(keys.queue('mail').list)).toBe('mail');
  });

  it('may have another prefix, then all of them', () => {
    const other = new Keyspace('app:');
    const all = [...Object.values(other.queue('Q')), other.job('J'), other.queues, other.workers];
    for (const key of all) expect(key).toMatch(/^app:/);
    expect(other.queueName(other.queue('Q').list)).toBe('Q');
  });
});
