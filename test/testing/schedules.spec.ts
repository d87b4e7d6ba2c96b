import { Injectable } from '@nestjs/common';
import { Job, RqModule, type RunningJob, Schedule } from 'nestjs-rq';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

const HOUR = 3_600_000;

@Injectable()
class Reports {
  readonly ran: string[] = [];

  @Job({ queue: 'reports', retry: { max: 1, interval: '10m' } })
  @Schedule('0 9 * * *', { data: { kind: 'daily' } })
  daily(data: { kind: string }, job: RunningJob) {
    this.ran.push(`${data.kind} ${job.tick?.at.toISOString().slice(11, 16)} ${job.attempt}`);
    if (job.attempt === 1) throw new Error('not at the first time');
  }

  @Job('tenants')
  tenant(id: number, job: RunningJob): void {
    this.ran.push(`tenant ${id} ${job.tick?.at.toISOString().slice(11, 16)}`);
  }
}

const metadata = {
  imports: [RqModule.forRoot({ connection: NOWHERE }), RqModule.registerQueue('tenants')],
  providers: [Reports],
};

it.each(['manual', 'inline'] as const)(
  'advance fires each tick at its time, and runs its retries (%s)',
  async (mode) => {
    const { app, rq } = await start(metadata, { mode });
    const { ran } = app.get(Reports);
    expect(await rq.advance('2d')).toMatchObject({ finished: 2, retrying: 2, failed: 0 });
    expect(ran).toEqual(['daily 09:00 1', 'daily 09:00 2', 'daily 09:00 1', 'daily 09:00 2']);
    expect(await rq.advance('30d')).toMatchObject({ finished: 30 });
  },
);

it('enqueued shows the next tick of each schedule, by what it will be', async () => {
  const { rq } = await start(metadata);
  const [next, ...others] = await rq.enqueued('reports');
  expect(others).toEqual([]);
  expect(next).toMatchObject({
    ...{ name: 'daily', data: { kind: 'daily' }, status: 'scheduled', attempts: 0 },
    tick: { schedule: 'reports-daily', at: next?.dueAt },
    id: `reports-daily-${next?.dueAt?.getTime()}`,
  });
  expect(next?.dueAt?.toISOString()).toMatch(/T09:00:00\.000Z$/);
  await rq.advance(`${next?.dueIn ?? 0}s`, { drain: false });
  await rq.advance('2s', { drain: false });
  await rq.drain();
  const [retry, after] = await rq.enqueued('reports');
  expect(retry).toMatchObject({ id: next?.id, attempts: 1, status: 'scheduled' });
  expect((after?.dueAt?.getTime() ?? 0) - (next?.dueAt?.getTime() ?? 0)).toBe(24 * HOUR);
});

it('nothing is fired by the time that passes in a test, nor counts as enqueued before', async () => {
  const { rq } = await start(metadata);
  const tenants = rq.queue('tenants');
  await tenants.schedule('t', { every: 1 }, 'tenant', 1);
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(await tenants.count()).toBe(0);
  expect((await rq.drain()).finished).toBeGreaterThan(0);
});

it('a schedule that is made during the test is fired at its times, until it is removed', async () => {
  const { app, rq } = await start(metadata);
  const { ran } = app.get(Reports);
  const tenants = rq.queue('tenants');
  await tenants.schedule('t', { every: '3h' }, 'tenant', 7);
  await rq.advance('9h');
  const fired = ran.filter((line) => line.startsWith('tenant'));
  expect(fired).toHaveLength(3);
  expect(new Set(fired).size).toBe(3);
  await tenants.unschedule('t');
  await rq.advance('9h');
  expect(ran.filter((line) => line.startsWith('tenant'))).toHaveLength(3);
});

it('what was missed while only the clock moved follows the rule', async () => {
  const { app, rq } = await start(metadata);
  const { ran } = app.get(Reports);
  const tenants = rq.queue('tenants');
  await tenants.schedule('t', { every: '1h' }, 'tenant', 7);
  await rq.advance('10h', { drain: false });
  await rq.drain();
  expect(ran.filter((line) => line.startsWith('tenant'))).toHaveLength(1);
  expect(await tenants.getSchedule('t')).toMatchObject({ missed: 9 });
});

it('clear takes everything, and the schedules of the code are there again', async () => {
  const { rq } = await start(metadata);
  await rq.advance('1d');
  await rq.clear();
  expect(await rq.enqueued('reports')).toMatchObject([{ name: 'daily', attempts: 0 }]);
  expect(await rq.advance('1d')).toMatchObject({ finished: 1 });
});
