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
    expect(keys.sharedCommands('W')).toBe('rq:pubsub:W');
    expect(keys.queue('Q')).toMatchObject({
      list: 'rq:queue:Q',
      intermediate: 'rq:queue:Q:intermediate',
      started: 'rq:wip:Q',
      finished: 'rq:finished:Q',
      failed: 'rq:failed:Q',
      deferred: 'rq:deferred:Q',
      scheduled: 'rq:scheduled:Q',
      canceled: 'rq:canceled:Q',
    });
  });

  it('are our own where RQ has none, and cannot collide with its', () => {
    const { paused, watched, wake, settled } = keys.queue('Q');
    for (const key of [paused, watched, wake, settled]) expect(key).toMatch(/^rq:nrq:\w+:Q$/);
  });

  it('are of one database where all databases share them: channels', () => {
    const second = new Keyspace('rq:', 2);
    expect(second.queue('Q')).toMatchObject({
      wake: 'rq:nrq@2:wake:Q',
      settled: 'rq:nrq@2:settled:Q',
      events: 'rq:nrq@2:events:Q',
      list: 'rq:queue:Q',
    });
    expect(second.commands('W')).toBe('rq:nrq@2:commands:W');
    expect(keys.commands('W')).toBe('rq:nrq:commands:W');
  });

  it('lead back to the queue', () => {
    expect(keys.queueName('rq:queue:a:b')).toBe('a:b');
    expect(keys.queueName(keys.queue('mail').list)).toBe('mail');
  });

  it('may have another prefix, then all of them', () => {
    const other = new Keyspace('app:');
    const { name, ...names } = other.queue('Q');
    expect(name).toBe('Q');
    const all = [...Object.values(names), other.job('J'), other.queues, other.workers];
    for (const key of all) expect(key).toMatch(/^app:/);
    expect(other.queueName(other.queue('Q').list)).toBe('Q');
  });
});
