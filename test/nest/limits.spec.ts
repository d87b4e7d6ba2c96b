import { Injectable, Module } from '@nestjs/common';
import { type JobHandlerOptions, Job, JobsOf, RqModule, RqService } from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications } from './support/applications.js';

const applications = Applications.forThisFile();

interface Contact {
  readonly tenant: string;
  readonly n: number;
}

@Injectable()
class CrmJobs {
  readonly ran: string[] = [];

  @Job({
    queue: 'crm',
    key: (contact: Contact) => contact.tenant,
    concurrency: { total: 5, perKey: 1 },
    rateLimit: { max: 1000, per: '1s' },
  })
  sync({ tenant, n }: Contact) {
    this.ran.push(`${tenant}${n}`);
  }

  @Job('crm')
  other() {
    this.ran.push('other');
  }
}

const crm = RqModule.registerQueue({
  name: 'crm',
  key: (data: { tenant?: string } | undefined) => data?.tenant,
  concurrency: { total: 100, perKey: 3 },
});

const start = (worker: object | false = {}) =>
  applications.start({
    imports: [RqModule.forRoot(applications.root({ worker })), crm],
    providers: [CrmJobs],
  });

it('a job has the key that its handler says, or the queue for handlers that say none', async () => {
  const { app } = await start(false);
  const queue = app.get(RqService).queue('crm');
  await queue.enqueue('sync', { tenant: 'a', n: 1 });
  await queue.enqueue('other', { tenant: 'b' });
  await queue.enqueue('other');
  await queue.enqueue('sync', { tenant: 'a', n: 2 }, { key: 'given' });
  const lanes = (await queue.lanes()).map(({ handler, key }) => `${handler} ${key}`);
  expect(lanes.toSorted()).toEqual(['other ', 'other b', 'sync a', 'sync given']);
});

it('limits are those of the handler, and of the queue where the handler says none', async () => {
  const { app, logs } = await start();
  const queue = app.get(RqService).queue('crm');
  const limits = await queue.limits();
  expect(limits).toHaveLength(3);
  expect(limits).toContainEqual(
    expect.objectContaining({ handler: undefined, from: 'declared', concurrency: { total: 100 } }),
  );
  expect(limits).toContainEqual(
    expect.objectContaining({
      handler: 'sync',
      concurrency: { total: 5, perKey: 1 },
      rateLimit: { max: 1000, per: 1 },
    }),
  );
  expect(limits).toContainEqual(
    expect.objectContaining({ handler: 'other', concurrency: { perKey: 3 } }),
  );
  const jobs = ['a', 'b'].flatMap((tenant) => [1, 2, 3].map((n) => ({ tenant, n })));
  await queue.enqueueMany(jobs.map((data) => ({ name: 'sync', data })));
  const { ran } = app.get(CrmJobs);
  await eventually(() => ran.length === 6, { what: 'all jobs' });
  expect(ran.filter((job) => job.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
  expect(logs.ours.join('\n')).toMatch(
    /Limits of "?sync"? \(queue crm\) are now total 5, 1 per key/,
  );
});

it('a key function that throws refuses the enqueue, and nothing is stored', async () => {
  const { app } = await start(false);
  const queue = app.get(RqService).queue('crm');
  for (const data of [null, undefined]) {
    await expect(queue.enqueue('sync', data as never)).rejects.toMatchObject({
      code: 'RQ_INVALID_OPTION',
      option: 'key',
      message: expect.stringMatching(
        /^the key of job "sync" on queue "crm": key is not known: its function threw \(.*tenant.*null/,
      ) as string,
      cause: expect.any(TypeError) as TypeError,
    });
  }
  await expect(queue.enqueue('sync', { tenant: 'a\tb', n: 1 })).rejects.toMatchObject({
    option: 'key',
  });
  // What becomes of a number that is missing: all such jobs would share a lane that nobody has named.
  for (const key of [NaN, Infinity, -Infinity]) {
    const call = queue.enqueue('sync', { tenant: key as never, n: 1 });
    await expect(call).rejects.toThrow(
      `the key of job "sync" on queue "crm": key must be a finite number, or text; null says that a job has no key, got ${key}`,
    );
    await expect(queue.enqueue('sync', { tenant: 'a', n: 1 }, { key })).rejects.toThrow(
      /^enqueue\("sync"\) on queue "crm": key must be a finite number/,
    );
  }
  expect(await queue.count()).toBe(0);
});

describe('@JobsOf', () => {
  @Injectable()
  @JobsOf('mail', { concurrency: { perKey: 2 }, key: () => 'all' })
  class MailJobs {
    @Job()
    send() {}

    @Job({ concurrency: { total: 1 } })
    single() {}
  }

  it('says limits for the handlers of a class that say none', async () => {
    const { app } = await applications.start({
      imports: [RqModule.forRoot(applications.root())],
      providers: [MailJobs],
    });
    const limits = await app.get(RqService).queue('mail').limits();
    expect(limits.map(({ handler, concurrency }) => [handler, concurrency])).toEqual([
      ['send', { perKey: 2 }],
      ['single', { total: 1 }],
    ]);
  });
});

it.each<[Partial<JobHandlerOptions>, RegExp]>([
  [{ concurrency: { total: 0 } }, /concurrency\.total must be a whole number of at least 1/],
  [{ concurrency: { most: 1 } as object }, /concurrency\.most is not an option here/],
  [{ rateLimit: { max: 1 } }, /rateLimit\.per is missing/],
  [{ rateLimit: { perKey: { max: 1, per: 0 } } }, /rateLimit\.perKey\.per must be above 0/],
  [{ key: 'tenant' as never }, /key must be a function/],
])('refuses %j, naming the place', async (options, message) => {
  class Jobs {
    @Job({ queue: 'q', ...options })
    run() {}
  }
  const application = applications.start({
    imports: [RqModule.forRoot(applications.root())],
    providers: [Jobs],
  });
  await expect(application).rejects.toThrow(message);
  await expect(application).rejects.toThrow(/@Job on Jobs\.run/);
});

it('two registrations that limit a queue differently contradict each other', async () => {
  const limited = (total: number) => RqModule.registerQueue({ name: 'q', concurrency: { total } });
  @Module({ imports: [limited(2)] })
  class Other {}
  const application = applications.start({
    imports: [RqModule.forRoot(applications.root()), limited(1), Other],
  });
  await expect(application).rejects.toMatchObject({ option: 'concurrency' });
});
