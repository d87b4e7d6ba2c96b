import { InvalidOptionError } from '../../../lib/job/index.js';
import { headersOf, type HeaderInjector, Queue } from '../../../lib/queue/index.js';
import type { JobStore, NewJob } from '../../../lib/store/index.js';

function queueWith(inject: HeaderInjector) {
  const jobs: NewJob[] = [];
  const store = {
    maxPayloadBytes: 1000,
    enqueue: (added: NewJob[]) => Promise.resolve((jobs.push(...added), [])),
  } as unknown as JobStore;
  const metas = () => jobs.map(({ meta }) => meta && (JSON.parse(meta) as unknown));
  return { queue: new Queue('images', store, { inject }), jobs, metas };
}

const meta = { user: 7 };

describe('what a queue puts into the headers of its jobs', () => {
  it('is there whichever way a job is enqueued, asked for each', async () => {
    let count = 0;
    const { queue, metas } = queueWith((headers) => (headers.count = String(++count)));
    await queue.enqueue('a');
    await queue.enqueueIn(5, 'b');
    await queue.enqueueAt(new Date(), 'c');
    await queue.enqueueCall('d', { args: [1] });
    await queue.enqueueMany([{ name: 'e' }, { name: 'f', options: { meta } }]);
    expect(metas()).toEqual([
      { headers: { count: '1' } },
      { headers: { count: '2' } },
      { headers: { count: '3' } },
      { headers: { count: '4' } },
      { headers: { count: '5' } },
      { user: 7, headers: { count: '6' } },
    ]);
  });

  it('gives way to what the caller says, name by name', async () => {
    const { queue, metas } = queueWith((headers) => {
      headers.trace = 'injected';
      headers.tenant = 'injected';
    });
    const own = { headers: { trace: 'own', more: 1 } };
    await queue.enqueue('a', 1, { meta: own });
    await queue.enqueue('a', 1, { meta: { headers: 'mine' } });
    expect(metas()).toEqual([
      { headers: { trace: 'own', tenant: 'injected', more: 1 } },
      { headers: 'mine' },
    ]);
    expect(own).toEqual({ headers: { trace: 'own', more: 1 } });
  });

  it('costs the job no meta when there is nothing to put in', async () => {
    const { queue, jobs } = queueWith((headers) => (headers.trace = undefined));
    await queue.enqueue('a');
    await queue.enqueue('a', 1, { meta });
    expect(jobs.map((job) => job.meta)).toEqual([undefined, '{"user":7}']);
  });

  it('may have any name', async () => {
    const { queue, jobs } = queueWith((headers) => (headers['__proto__'] = 'x'));
    await queue.enqueue('a');
    expect(jobs[0]?.meta).toBe('{"headers":{"__proto__":"x"}}');
  });

  it('must be text, and what it throws makes the call reject', async () => {
    const wrong = queueWith((headers) => (headers.user = 7 as unknown as string));
    await expect(wrong.queue.enqueue('a')).rejects.toThrow(InvalidOptionError);
    await expect(wrong.queue.enqueue('a')).rejects.toThrow(
      'context.inject must put texts into headers: "user" is a number',
    );
    const broken = queueWith(() => {
      throw new Error('no tenant');
    });
    await expect(broken.queue.enqueue('a')).rejects.toThrow('no tenant');
    await expect(broken.queue.enqueueMany([{ name: 'a' }])).rejects.toThrow('no tenant');
    expect([...wrong.jobs, ...broken.jobs]).toEqual([]);
  });

  it('counts for the size of meta', async () => {
    const { queue } = queueWith((headers) => (headers.large = 'x'.repeat(2000)));
    await expect(queue.enqueue('a')).rejects.toThrow(/meta of job "a" is too large/);
  });
});

describe("a job's headers", () => {
  it.each<[string, unknown]>([
    ['absent', {}],
    ['null', { headers: null }],
    ['text', { headers: 'x' }],
    ['a list', { headers: ['x'] }],
    ['inherited', JSON.parse('{"__proto__":{"headers":{"a":"b"}}}')],
    ['of no meta', undefined],
  ])('are none when they are %s', (_, given) => {
    expect(headersOf(given as Record<string, unknown>)).toEqual(Object.create(null));
  });

  it('are the texts among them, in an object without a prototype', () => {
    const hostile = '{"a":"b","n":1,"o":{},"u":null,"__proto__":"x","constructor":"c"}';
    const headers = headersOf({ headers: JSON.parse(hostile) as unknown });
    expect(Object.entries(headers)).toEqual([
      ['a', 'b'],
      ['constructor', 'c'],
    ]);
    expect(Object.getPrototypeOf(headers)).toBeNull();
  });
});
