import { Injectable } from '@nestjs/common';
import { InjectQueue, Job, Queue, RqModule, type RunningJob } from 'nestjs-rq';
import { within } from '../support/wait.js';
import { NOWHERE, closeApplicationsAfterEach, start } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: string[] = [];

  constructor(
    @InjectQueue('mail') private readonly mail: Queue<Jobs>,
    @InjectQueue('log') private readonly log: Queue<Jobs>,
  ) {}

  /** Has its jobs run even before it has started: then they wait for the worker. */
  async onModuleInit() {
    await this.mail.enqueue('sendMail', 'init');
  }

  @Job('mail')
  async sendMail(to: string) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    this.ran.push(`mail to ${to}`);
  }

  @Job('mail')
  async welcome(to: string) {
    await Promise.all([this.mail.enqueue('sendMail', to), this.log.enqueue('note', to)]);
    await this.mail.enqueueMany([{ name: 'sendMail', data: `${to} again` }]);
    this.ran.push(`welcome ${to}`);
  }

  @Job('log')
  async note(text: string) {
    this.ran.push(`noted ${text}`);
  }

  @Job({ queue: 'mail', retry: { max: 1, interval: '1m' } })
  flaky(_: unknown, job: RunningJob) {
    if (job.attempt === 1) throw new Error('not now');
    this.ran.push('recovered');
  }
}

async function startJobs(worker: object = {}) {
  const { app, rq } = await start(
    {
      imports: [
        RqModule.forRoot({ connection: NOWHERE, worker }),
        RqModule.registerQueue('mail', 'log'),
      ],
      providers: [Jobs],
    },
    { mode: 'inline' },
  );
  const { ran } = app.get(Jobs);
  await rq.drain();
  expect(ran.splice(0)).toEqual(['mail to init']);
  return { app, rq, mail: rq.queue<Jobs>('mail'), log: rq.queue<Jobs>('log'), ran };
}

it('enqueue resolves when the job has run', async () => {
  const { mail, ran } = await startJobs();
  const job = await mail.enqueue('sendMail', 'ann');
  expect(ran).toEqual(['mail to ann']);
  expect(await job.status()).toBe('finished');
});

it('what the job enqueues has run, too, even where one job runs at a time', async () => {
  const { mail, ran } = await startJobs({ concurrency: 1 });
  await within(mail.enqueue('welcome', 'ann'), { what: 'the job and those it enqueues' });
  expect(ran.toSorted()).toEqual(['mail to ann', 'mail to ann again', 'noted ann', 'welcome ann']);
});

it('each of several that enqueue at once may rely on it', async () => {
  const { mail, log, ran } = await startJobs();
  void mail.enqueue('welcome', 'ann');
  await log.enqueue('note', 'bob');
  expect(ran).toContain('noted bob');
  await Promise.all([mail.enqueue('welcome', 'cid'), mail.enqueue('welcome', 'dan')]);
  expect(ran).toHaveLength(13);
});

it('a delayed job and a delayed retry wait for their time', async () => {
  const { rq, mail, ran } = await startJobs();
  const flaky = await mail.enqueue('flaky');
  await mail.enqueueIn('2m', 'sendMail', 'eve');
  expect(ran).toEqual([]);
  expect(await flaky.status()).toBe('scheduled');
  await rq.advance('1m');
  expect(ran).toEqual(['recovered']);
  await rq.advance('1m');
  expect(ran).toEqual(['recovered', 'mail to eve']);
});

it('a job that fails does not make enqueue reject', async () => {
  const { mail } = await startJobs();
  const job = await mail.enqueue('unknown' as 'sendMail', 'nobody');
  expect(await job.status()).toBe('failed');
});

it('enqueuing while the application closes waits for nothing', async () => {
  const { app, mail } = await startJobs();
  const [job] = await within(Promise.all([mail.enqueue('sendMail', 'late'), app.close()]), {
    what: 'the application to close',
  });
  expect(job.id).toEqual(expect.any(String));
});
