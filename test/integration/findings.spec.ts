// What is wrong with a Redis and its queues, each with what to do about it.
import { randomBytes } from 'node:crypto';
import { RqInspector } from '../../lib/observe/index.js';
import { Engine } from './support/engine.js';
import { itOnOneServer, wholeOf } from './support/layout.js';

const engine = Engine.forThisFile();
const found = async (queue?: string) => {
  const inspector = new RqInspector(wholeOf(engine.store));
  const findings = await inspector.findings(queue === undefined ? {} : { queues: [queue] });
  return findings.map(({ code, queue: where }) => (where ? `${where} ${code}` : code));
};

it('finds nothing but the settings of a server for tests where all is well', async () => {
  await engine.work({ send: () => 1 });
  expect(await found()).toEqual(['no-aof']);
});

it('finds an evicting server, dead workers, ghosts, leases and ids of the dead, and jobs in pickle', async () => {
  const { client } = engine;
  await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  await engine.queue('mail').enqueue('send');
  await client.lpush('rq:queue:mail', 'ghost');
  await client.lpush('rq:queue:mail:intermediate', 'popped');
  await client.zadd('rq:wip:mail', 5, 'left:behind');
  await client.hset('rq:job:p', {
    data: '\x80\x04\x95',
    origin: 'mail',
    status: 'queued',
    created_at: '2026-01-01T00:00:00Z',
  });
  await client.rpush('rq:queue:mail', 'p');
  await client.hset('rq:worker:dead', {
    queues: 'mail',
    last_heartbeat: '2026-01-01T00:00:00Z',
    nrq_version: '0.1.0',
  });
  await client.sadd('rq:workers', 'rq:worker:dead');
  await client.hset('rq:job:left', { status: 'finished', origin: 'mail' });
  await client.hset('rq:job:kept', { status: 'finished', origin: 'mail' });
  await client.expire('rq:job:kept', 100);
  try {
    const all = await found('mail');
    expect(all).toEqual(
      expect.arrayContaining([
        'eviction',
        'silent-worker',
        'mail no-worker',
        'mail ended-leases',
        'mail popped',
        'mail ghosts',
        'mail pickle',
        'mail forgotten',
      ]),
    );
    const [first] = await new RqInspector(wholeOf(engine.store)).findings();
    expect(first).toMatchObject({ code: 'eviction', fix: 'set it to noeviction' });
  } finally {
    await client.config('SET', 'maxmemory-policy', 'noeviction');
  }
});

it('finds jobs whose worker hangs, although their leases go on and nobody lists it any more', async () => {
  const { client } = engine;
  const hour = 3_600_000;
  // On a cluster, the first job makes known where the queue is.
  await engine.queue('mail').enqueue('send');
  const started = (id: string, since: number) =>
    client.hset(`rq:job:${id}`, {
      data: '["send",null,[],{}]',
      origin: 'mail',
      status: 'started',
      worker_name: 'hanging',
      started_at: new Date(since).toISOString(),
    });
  await started('old', Date.now() - hour);
  await started('young', Date.now() + hour);
  const end = Date.now() / 1000 + 3600;
  await client.zadd('rq:wip:mail', end, 'old:e1', end, 'young:e2');
  const findings = await new RqInspector(wholeOf(engine.store)).findings({ queues: ['mail'] });
  expect(findings.filter(({ code }) => code === 'hung-jobs')).toMatchObject([
    {
      queue: 'mail',
      sentence: '1 job is held by workers that show no sign of life, such as old by worker hanging',
    },
  ]);
  await client.hset('rq:worker:hanging', {
    queues: 'mail',
    last_heartbeat: new Date().toISOString(),
    nrq_version: '0.1.0',
  });
  await client.sadd('rq:workers', 'rq:worker:hanging');
  expect(await found('mail')).not.toContain('mail hung-jobs');
});

// A cluster makes its replicas itself, and asks them for nothing.
itOnOneServer('a replica comes first: nothing works there', async () => {
  await engine.client.replicaof('127.0.0.1', '1');
  try {
    const [first] = await new RqInspector(engine.store).findings();
    expect(first).toMatchObject({ severity: 'fatal', code: 'replica' });
  } finally {
    await engine.client.replicaof('NO', 'ONE');
  }
});

it('names the largest payloads', async () => {
  const random = randomBytes(300_000).toString('base64');
  await engine.queue('mail').enqueue('send', random, { id: 'large' });
  await engine.queue('mail').enqueue('send', 'small', { id: 'small' });
  const inspector = new RqInspector(engine.store);
  const large = (await inspector.findings()).find(({ code }) => code === 'large-payloads');
  expect(large?.queue).toBe('mail');
  expect(large?.sentence).toMatch(/^large payloads, such as large \(\d{3} KB\)$/);
});
