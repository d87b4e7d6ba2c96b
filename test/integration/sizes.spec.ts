import type { RunningJob } from '../../lib/worker/index.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

// Around the lengths at which the forms change in which they travel.
const LENGTHS = [
  0, 1, 10, 31, 32, 33, 199, 200, 201, 255, 256, 2040, 2047, 2048, 2049, 65_535, 65_536,
];

describe('data, meta and results of every length', () => {
  it('arrive as they were sent, also side by side in one answer', async () => {
    await engine.work({
      echo: (data, job: RunningJob) => [data, job.meta['text'], `${(data as string).length}`],
    });
    const jobs = await engine.queue().enqueueMany(
      LENGTHS.flatMap((length) => [
        { name: 'echo', data: 'd'.repeat(length), options: { meta: { text: 'ä' } } },
        { name: 'echo', data: 'd', options: { meta: { text: 'm'.repeat(length) } } },
        { name: 'echo', data: '€'.repeat(length), options: { retry: { max: 1, interval: 0 } } },
      ]),
    );
    const results = await Promise.all(jobs.map((job) => job.result({ timeout: 10 })));
    expect(results).toEqual(
      LENGTHS.flatMap((length) => [
        ['d'.repeat(length), 'ä', `${length}`],
        ['d', 'm'.repeat(length), '1'],
        ['€'.repeat(length), null, `${length}`],
      ]),
    );
  });

  it('are results with line feeds, quotes and no value at all', async () => {
    const values = [
      'a\nb',
      '\n',
      '"',
      '\\',
      '',
      null,
      undefined,
      0,
      false,
      [],
      {},
      '\u2028',
      'x\u0000y',
    ];
    await engine.work({ pick: (index) => values[index as number] });
    const jobs = await engine
      .queue()
      .enqueueMany(values.map((_, index) => ({ name: 'pick', data: index })));
    const results = await Promise.all(jobs.map((job) => job.result({ timeout: 10 })));
    expect(results).toEqual(values.map((value) => value ?? null));
  });

  it('are results that go to different places, between failures', async () => {
    await engine.work({
      pick: (index) => {
        if ((index as number) % 5 === 4) throw new Error(`no ${String(index)}`);
        return index;
      },
    });
    const indexes = Array.from({ length: 60 }, (_, index) => index);
    const jobs = await engine.queue().enqueueMany(
      indexes.map((index) => ({
        name: 'pick',
        data: index,
        options: { resultTtl: [100, 200, -1][index % 3] },
      })),
    );
    const results = await Promise.allSettled(jobs.map((job) => job.result({ timeout: 10 })));
    expect(results.map(({ status }) => status)).toEqual(
      indexes.map((index) => (index % 5 === 4 ? 'rejected' : 'fulfilled')),
    );
    for (const [index, job] of jobs.entries()) {
      const ttl = await engine.client.ttl(`rq:job:${job.id}`);
      const expected = index % 5 === 4 ? 31_536_000 : [100, 200, -1][index % 3];
      expect(Math.abs(ttl - (expected as number))).toBeLessThanOrEqual(10);
    }
  });

  it('is a job whose id somebody has written with a line feed', async () => {
    const id = 'odd\nid\nfinished';
    await engine.client.hset(`rq:job:${id}`, 'data', '["pick",null,[7],{}]', 'status', 'queued');
    const worker = await engine.work({ pick: (data) => data });
    await engine.client.rpush('rq:queue:jobs', id, id);
    const good = await engine.queue().enqueue('pick', 8);
    expect(await good.result()).toBe(8);
    expect(await engine.fields(id)).toMatchObject({ status: 'finished', result: '7' });
    expect(await engine.client.zcard('rq:wip:jobs')).toBe(0);
    expect(worker.events.of('jobLost')).toEqual([]);
  });
});
