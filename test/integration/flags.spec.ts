import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

/** How often each command has run since it was asked last. */
async function commandsRun(): Promise<Record<string, number>> {
  const info = await engine.client.info('commandstats');
  await engine.client.config('RESETSTAT');
  const lines = info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm);
  return Object.fromEntries([...lines].map(([, name, calls]) => [name, Number(calls)]));
}

describe('a look at the flags of a queue', () => {
  it('is one command of an enqueue, whatever the number of jobs', async () => {
    const queue = engine.queue();
    await queue.enqueue('first', {});
    await commandsRun();
    await queue.enqueueMany(Array.from({ length: 10 }, () => ({ name: 'many', data: {} })));
    expect((await commandsRun())['exists']).toBe(1);
  });

  it('is the same command that asks whether the queue is paused', async () => {
    const exchange = (token: string) =>
      engine.store.exchange('jobs', {
        leaseMs: 15_000,
        worker: 'w',
        token,
        nextExecution: 0,
        want: 1,
        suspects: { from: 2, takes: true, delay: 1000 },
        woken: [],
        outcomes: [],
        call: undefined,
        events: [],
      });
    const queue = engine.queue();
    await queue.enqueueMany([
      { name: 'one', data: {} },
      { name: 'two', data: {} },
    ]);
    await exchange('a'.repeat(32));
    await commandsRun();
    expect((await exchange('b'.repeat(32))).claimed).toHaveLength(1);
    expect((await commandsRun())['exists']).toBe(1);
  });

  it('changes nothing about jobs that have nothing to do with them', async () => {
    await engine.client.hset('rq:nrq:flags:jobs', 'unknown', '1');
    const queue = engine.queue();
    const job = await queue.enqueue('plain', {});
    await engine.work({ plain: () => 'done' });
    expect(await job.result({ timeout: 10 })).toBe('done');
  });

  it('does not change how plain jobs are stored, or their order', async () => {
    const store = async (name: string) => {
      const queue = engine.queue(name);
      const jobs = await Promise.all([0, 1, 2].map((n) => queue.enqueue('plain', { n })));
      const waiting = await engine.client.lrange(`rq:queue:${name}`, 0, -1);
      expect(waiting).toEqual(jobs.map(({ id }) => id));
      return Promise.all(
        waiting.map(async (id) => {
          const fields = await engine.client.hgetall(`rq:job:${id}`);
          return { ...fields, created_at: '', enqueued_at: '', origin: '' };
        }),
      );
    };
    const plain = await store('jobs');
    await engine.client.hset('rq:nrq:flags:others', 'unknown', '1');
    expect(await store('others')).toEqual(plain);
    expect(await engine.client.smembers('rq:queues')).toHaveLength(2);
  });
});
