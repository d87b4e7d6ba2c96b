// Jobs that would wait for themselves, by way of groups: the call that would close the circle is refused, and leaves
// nothing behind.
import { CircularDependencyError, type JobOptions } from '../../lib/job/index.js';
import { RqInspector } from '../../lib/observe/index.js';
import type { PreparedJob, RqJob } from '../../lib/queue/index.js';
import { enqueuePrepared } from '../../lib/queue/index.js';
import { Engine } from './support/engine.js';

const engine = Engine.forThisFile();

const enqueue = (id: string, options: JobOptions) =>
  engine.queue().enqueue('job', 1, { id, ...options });
const prepare = (id: string, options: JobOptions) =>
  engine.queue('other').prepare('job', 1, { id, ...options });
const together = (...jobs: PreparedJob[]): Promise<RqJob[]> =>
  enqueuePrepared(engine.store, jobs, 'enqueueMany');
const refused = (id: string, group: string) => ({
  code: 'RQ_CIRCULAR_DEPENDENCY',
  jobId: id,
  group,
});

/** Somebody is pending in group b, and a job of group a waits for that. */
async function begun(): Promise<void> {
  await enqueue('m', { group: 'b' });
  await enqueue('x', { group: 'a', dependsOn: { group: 'b' } });
}

it('two groups that wait for each other', async () => {
  await begun();
  const keys = (await engine.client.keys('*')).toSorted();
  const call = enqueue('y', { group: 'b', dependsOn: { group: 'a', ifFailed: 'run' } });
  await expect(call).rejects.toThrow(CircularDependencyError);
  await expect(call).rejects.toMatchObject(refused('y', 'b'));
  await expect(call).rejects.toThrow(
    /^Job "y" for queue "jobs" would wait for itself: it belongs to group "b", and group "a" waits for that group/,
  );
  expect((await engine.client.keys('*')).toSorted()).toEqual(keys);
  expect(await engine.queue().group('b').status()).toMatchObject({ total: 1, pending: 1 });
});

it('does not refuse the others that travel with it', async () => {
  await begun();
  const [circle, plain, member, fanIn] = await Promise.allSettled([
    enqueue('y', { group: 'b', dependsOn: { group: 'a' } }),
    enqueue('plain', {}),
    enqueue('n', { group: 'b' }),
    enqueue('z', { dependsOn: { group: 'a' } }),
  ]);
  expect(circle.status).toBe('rejected');
  expect([plain.status, member.status, fanIn.status]).toEqual(Array(3).fill('fulfilled'));
  expect(await engine.client.exists('rq:job:y')).toBe(0);
  expect(await engine.queue().counts()).toMatchObject({ queued: 3, deferred: 2 });
});

it('a member that waits for the job which waits for its group', async () => {
  await enqueue('m', { group: 'g' });
  await enqueue('end', { dependsOn: { group: 'g' } });
  await expect(enqueue('y', { group: 'g', dependsOn: 'end' })).rejects.toMatchObject(
    refused('y', 'g'),
  );
  // By way of others, of which one stands in the same call.
  await enqueue('behind', { dependsOn: 'end' });
  const further = prepare('further', { dependsOn: 'behind' });
  const call = together(further, prepare('y', { group: 'g', dependsOn: further }));
  await expect(call).rejects.toMatchObject(refused('y', 'g'));
  expect(await engine.client.exists('rq:job:further', 'rq:job:y')).toBe(0);
  // The prepared ones may be enqueued in another call.
  await together(further);
  expect(await engine.client.hget('rq:job:further', 'status')).toBe('deferred');
});

it.each([
  [
    'two groups',
    () => [
      prepare('m', { group: 'a' }),
      prepare('x', { group: 'a', dependsOn: { group: 'b' } }),
      prepare('y', { group: 'b', dependsOn: { group: 'a' } }),
    ],
  ],
  [
    'three groups',
    () => [
      prepare('x', { group: 'a', dependsOn: { group: 'b' } }),
      prepare('y', { group: 'b', dependsOn: { group: 'c' } }),
      prepare('m', { group: 'c' }),
      prepare('z', { group: 'c', dependsOn: { group: 'a' } }),
    ],
  ],
  [
    'a group and a chain of jobs',
    () => {
      const first = prepare('first', { dependsOn: { group: 'g' } });
      const second = prepare('second', { dependsOn: first });
      return [first, second, prepare('last', { group: 'g', dependsOn: second })];
    },
  ],
])('%s, in one call: nothing of it is stored', async (_, jobs) => {
  await expect(together(...jobs())).rejects.toThrow(CircularDependencyError);
  expect(await engine.client.keys('*')).toEqual([]);
});

it('in a long `enqueueMany`: none of the slice is stored', async () => {
  await begun();
  const items = ['p', 'q'].map((id) => ({ name: 'job', data: 1, options: { id } as JobOptions }));
  const y = { id: 'y', group: 'b', dependsOn: { group: 'a' } };
  const call = engine.queue().enqueueMany([...items, { name: 'job', data: 1, options: y }]);
  await expect(call).rejects.toMatchObject(refused('y', 'b'));
  expect(await engine.client.exists('rq:job:p', 'rq:job:q', 'rq:job:y')).toBe(0);
});

it('what looks like a circle and is none is enqueued', async () => {
  await begun();
  // Steps that wait for each other inside of a group, and for jobs outside of it that wait for another group.
  await enqueue('s1', { group: 'b' });
  await enqueue('s2', { group: 'b', dependsOn: 's1' });
  await enqueue('end-a', { dependsOn: { group: 'a' } });
  await enqueue('c1', { group: 'c', dependsOn: 'end-a' });
  await enqueue('end-c', { group: 'd', dependsOn: { group: 'c' } });
  expect(await engine.queue().counts()).toMatchObject({ queued: 2, deferred: 5 });
});

it('a job that has run already keeps nobody waiting: its group may be joined', async () => {
  await enqueue('m', { group: 'g' });
  await enqueue('end', { dependsOn: { group: 'g' } });
  await engine.work({ job: () => 1 });
  await engine.queue().job('end').result({ timeout: 10 });
  const late = await enqueue('y', { group: 'g', dependsOn: 'end' });
  expect(await late.result({ timeout: 10 })).toBe(1);
});

describe('a circle of more than a thousand jobs', () => {
  const circles = async () => {
    const findings = await new RqInspector(engine.store).findings();
    return findings.filter(({ code }) => code === 'circle');
  };

  beforeEach(async () => {
    await enqueue('m', { group: 'b' });
    await enqueue('c0', { dependsOn: { group: 'b' } });
    for (let first = 1; first <= 1001; first += 500) {
      const ids = Array.from({ length: 500 }, (_, index) => first + index);
      const chain = ids.map((at) => prepare(`c${at}`, { dependsOn: `c${at - 1}` }));
      await together(...chain);
    }
    await enqueue('x', { group: 'a', dependsOn: 'c1500' });
    await enqueue('further', { dependsOn: 'x' });
    // The look from group b to those who wait for it ends before it comes to x.
    await enqueue('y', { group: 'b', dependsOn: { group: 'a' } });
  });

  it('is not refused; those who look for what is wrong are told of it, and what to do', async () => {
    const [circle, ...others] = await circles();
    expect(others).toEqual([]);
    expect(circle).toMatchObject({ severity: 'warning', fix: expect.stringMatching(/promote/) });
    // All but `m`, which may run.
    expect(circle?.sentence).toMatch(
      /^1504 jobs will never run: they wait for themselves, by way of group "[ab]", such as [cxy]\d*$/,
    );
    const inOthers = await new RqInspector(engine.store).findings({ queues: ['none'] });
    expect(inOthers.map(({ code }) => code)).toContain('circle');
  });

  it('is none any more when one of its jobs runs', async () => {
    await engine.queue().promote(['y']);
    expect(await circles()).toEqual([]);
  });
});

it('jobs that wait for groups are no circle as long as a job of these may run', async () => {
  await begun();
  await enqueue('z', { dependsOn: { group: 'a' } });
  const findings = await new RqInspector(engine.store).findings();
  expect(findings.map(({ code }) => code)).not.toContain('circle');
});
