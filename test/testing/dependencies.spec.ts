import { Injectable } from '@nestjs/common';
import { FailJob, Job, type Queue, RqModule, RqService, type RunningJob } from 'nestjs-rq';
import 'nestjs-rq/testing/jest';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: string[] = [];

  @Job('steps')
  step(name: string) {
    this.ran.push(name);
    if (name === 'broken') throw new FailJob('no luck');
    return name.length;
  }

  @Job('sums')
  async sum(_data: undefined, job: RunningJob<undefined, number, number[]>) {
    const sum = (await job.parentResults()).reduce((all, one) => all + one, 0);
    this.ran.push(`sum ${sum}`);
    return sum;
  }

  @Job({ queue: 'steps', retry: { max: 1, interval: '1m' } })
  flaky(_data: undefined, job: RunningJob) {
    if (job.attempt === 1) throw new Error('not now');
    return 5;
  }
}

async function startJobs(mode: 'manual' | 'inline' = 'manual') {
  const { app, rq } = await start(
    { imports: [RqModule.forRoot({ connection: NOWHERE })], providers: [Jobs] },
    { mode },
  );
  const steps = rq.queue<Pick<Jobs, 'step' | 'flaky'>>('steps');
  const sums: Queue<Pick<Jobs, 'sum'>> = rq.queue('sums');
  return { rq, service: app.get(RqService), steps, sums, ran: app.get(Jobs).ran };
}

describe('jobs that wait for others, under test', () => {
  it('are shown with what they wait for', async () => {
    const { rq, service, steps, sums } = await startJobs();
    const step = steps.prepare('step', 'one');
    await service.enqueueMany([step, sums.prepare('sum', undefined, { dependsOn: [step] })]);
    await sums.enqueue('sum');

    expect(await rq.enqueued('sums')).toMatchObject([
      { name: 'sum', status: 'queued', dueIn: 0, waitsFor: undefined },
      {
        name: 'sum',
        status: 'deferred',
        dueIn: undefined,
        dueAt: undefined,
        waitsFor: { jobs: [step.id], ifFailed: 'cancel' },
      },
    ]);
    await expect(sums).toHaveEnqueued('sum');
    await expect(steps).not.toHaveEnqueued('sum');
  });

  it('run in a drain, over several queues', async () => {
    const { rq, service, steps, sums, ran } = await startJobs();
    const both = [steps.prepare('step', 'one'), steps.prepare('step', 'three')];
    const sum = sums.prepare('sum', undefined, { dependsOn: both });
    const last = steps.prepare('step', 'last', { dependsOn: sum });
    await service.enqueueMany([...both, sum, last]);

    expect(await rq.drain()).toMatchObject({ finished: 4, failed: 0 });
    expect(ran).toEqual(['one', 'three', 'sum 8', 'last']);
    expect(await rq.enqueued('sums')).toEqual([]);
  });

  it('run as time passes: a parent that is retried, a delay of their own', async () => {
    const { rq, steps, sums, ran } = await startJobs();
    const flaky = await steps.enqueue('flaky');
    const sum = await sums.enqueueIn('1h', 'sum', undefined, { dependsOn: [flaky] });
    await rq.drain();
    expect(await sum.status()).toBe('deferred');
    await rq.advance('1m');
    expect(await rq.enqueued('sums')).toMatchObject([
      { status: 'scheduled', dueIn: expect.closeTo(3600, -1) },
    ]);
    await rq.advance('1h');
    expect(ran).toEqual(['sum 5']);
  });

  it('are canceled with a parent that fails, and a drain comes to rest', async () => {
    const { rq, steps, sums } = await startJobs();
    const broken = await steps.enqueue('step', 'broken');
    const sum = await sums.enqueue('sum', undefined, { dependsOn: [await steps.enqueue('flaky')] });
    const waits = await steps.enqueue('step', 'x', {
      dependsOn: { jobs: broken, ifFailed: 'wait' },
    });
    const canceled = await steps.enqueue('step', 'y', { dependsOn: broken });
    expect(await rq.drain()).toMatchObject({ finished: 0, failed: 1, retrying: 1 });
    expect(await waits.status()).toBe('deferred');
    expect(await sum.status()).toBe('deferred');
    expect(await canceled.status()).toBe('canceled');
  });

  it('a fan-out of 700 is at rest after one drain', async () => {
    const { rq, steps } = await startJobs();
    const parent = await steps.enqueue('step', 'parent');
    const children = Array.from({ length: 700 }, () => ({
      name: 'step' as const,
      data: 'child',
      options: { dependsOn: parent },
    }));
    await steps.enqueueMany(children);
    expect(await rq.drain({ timeout: '60s' })).toMatchObject({ finished: 701 });
  }, 90_000);

  it('have run in inline mode when the call that enqueued them resolves', async () => {
    const { service, steps, sums, ran } = await startJobs('inline');
    const step = steps.prepare('step', 'four');
    const sum = sums.prepare('sum', undefined, { dependsOn: [step] });
    const [, job] = await service.enqueueMany([step, sum]);
    expect(ran).toEqual(['four', 'sum 4']);
    expect(await job.result()).toBe(4);
  });

  it('a result that is awaited while the test holds the parents back says what to do', async () => {
    const { steps, sums } = await startJobs();
    const sum = await sums.enqueue('sum', undefined, { dependsOn: [await steps.enqueue('flaky')] });
    await expect(sum.result({ timeout: '10ms' })).rejects.toThrow(
      /It waits for other jobs.*drain\(\)/,
    );
  });
});
