// The kit knows lanes, gates and rates: what waits there is shown, drained, and runs at its time.
import { Injectable } from '@nestjs/common';
import { Job, RqModule, SnoozeJob } from 'nestjs-rq';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: string[] = [];

  @Job({ queue: 'crm', key: (data: { of: string }) => data.of, concurrency: { perKey: 1 } })
  sync({ of }: { of: string }) {
    this.ran.push(of);
  }

  @Job({ queue: 'crm', rateLimit: { max: 1, per: '1h' } })
  hourly(n: number) {
    this.ran.push(`hourly ${n}`);
  }

  @Job({ queue: 'crm', batch: { size: 3, wait: '1h' } })
  index(numbers: number[]) {
    this.ran.push(`index ${numbers.join(' ')}`);
    return numbers.map((n) => n * 2);
  }

  @Job({ queue: 'api' })
  call(n: number) {
    this.ran.push(`call ${n}`);
    if (this.ran.length === 1) throw new SnoozeJob({ for: '5m', scope: 'queue' });
  }
}

async function startJobs() {
  const { app, rq } = await start({
    imports: [
      RqModule.forRoot({ connection: NOWHERE, worker: { concurrency: 1, prefetch: 0 } }),
      RqModule.registerQueue('crm', 'api'),
    ],
    providers: [Jobs],
  });
  return { rq, crm: rq.queue('crm'), api: rq.queue('api'), ran: app.get(Jobs).ran };
}

it('jobs in lanes are enqueued jobs, and a drain runs them', async () => {
  const { rq, crm, ran } = await startJobs();
  await crm.enqueueMany(['a', 'a', 'b'].map((of) => ({ name: 'sync', data: { of } })));
  expect(await rq.enqueued(crm)).toMatchObject([
    { name: 'sync' },
    { name: 'sync' },
    { name: 'sync' },
  ]);
  expect(await rq.drain()).toMatchObject({ finished: 3 });
  expect(ran.toSorted()).toEqual(['a', 'a', 'b']);
  expect(await rq.enqueued(crm)).toEqual([]);
});

it('what a rate holds back does not hold up a drain, and runs when its time has come', async () => {
  const { rq, crm, ran } = await startJobs();
  for (const n of [1, 2, 3]) await crm.enqueue('hourly', n);
  await rq.drain();
  expect(ran).toEqual(['hourly 1']);
  await rq.advance('1h');
  expect(ran).toEqual(['hourly 1', 'hourly 2']);
  await rq.advance('2h');
  expect(ran).toEqual(['hourly 1', 'hourly 2', 'hourly 3']);
});

it('a drain hands out batches of what there is: nothing more comes meanwhile', async () => {
  const { rq, crm, ran } = await startJobs();
  const jobs = await crm.enqueueMany([1, 2, 3, 4, 5].map((data) => ({ name: 'index', data })));
  expect(await rq.drain()).toMatchObject({ finished: 5 });
  expect(ran).toEqual(['index 1 2 3', 'index 4 5']);
  expect(await jobs[4]?.result()).toBe(10);
});

it('a queue that a handler has put off rests for that time', async () => {
  const { rq, api, ran } = await startJobs();
  for (const n of [1, 2]) await api.enqueue('call', n);
  await rq.drain();
  expect(ran).toEqual(['call 1']);
  await rq.advance('4m');
  expect(ran).toEqual(['call 1']);
  await rq.advance('2m');
  expect(ran).toEqual(['call 1', 'call 1', 'call 2']);
});

it('limits outlive a clear', async () => {
  const { rq, crm, ran } = await startJobs();
  await rq.clear();
  for (const n of [1, 2]) await crm.enqueue('hourly', n);
  await rq.drain();
  expect(ran).toEqual(['hourly 1']);
});
