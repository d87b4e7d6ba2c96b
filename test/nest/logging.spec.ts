import { type INestApplication, Injectable } from '@nestjs/common';
import {
  CancelJob,
  FailJob,
  type JobAttempt,
  Job,
  Queue,
  RetryJob,
  RqModule,
  RqService,
  type RunningJob,
} from 'nestjs-rq';
import { eventually } from '../support/wait.js';
import { Applications, type LogLines } from './support/applications.js';

const applications = Applications.forThisFile();

@Injectable()
class Jobs {
  @Job({ queue: 'work', retry: { max: 2, interval: [0, 0.05] } })
  failing() {
    throw new TypeError('no\nimage');
  }

  @Job('work')
  nonRetryable() {
    throw new FailJob('the image is gone');
  }

  @Job({ queue: 'work', retry: { max: 1, interval: 0 } })
  later(_: unknown, job: RunningJob) {
    if (job.attempt === 1) throw new RetryJob({ in: '20ms', reason: 'too early' });
  }

  @Job('work')
  unwanted() {
    throw new CancelJob('nobody wants it');
  }

  @Job('work')
  throwing() {
    throw undefined;
  }

  @Job('work')
  quick() {}
}

let app: INestApplication;
let logs: LogLines;
let work: Queue;
beforeEach(async () => {
  const application = await applications.start({
    imports: [RqModule.forRoot(applications.root({ worker: { concurrency: 3 } }))],
    providers: [Jobs],
  });
  ({ app, logs } = application);
  work = app.get(RqService).queue('work');
});

const lines = (level: string) => logs.ours.filter((line) => line.startsWith(`${level} RqWorker`));

const settled = (job: { results(): Promise<JobAttempt[]>; status(): Promise<string> }) =>
  eventually(async () => /finished|failed|canceled/.test(await job.status()), {
    what: 'the job to be settled',
  });

it('each failed attempt is one warn line, the last an error line with the stack', async () => {
  const job = await work.enqueue('failing', { secret: 'payload' });
  await settled(job);
  await eventually(() => lines('error').length > 0, { what: 'the error line' });

  const about = `Job failing \\(queue work, id ${job.id}\\)`;
  expect(lines('warn')).toEqual([
    expect.stringMatching(
      `^warn RqWorker: ${about}: attempt 1 of 3 failed: TypeError: no.*image; runs again now$`,
    ),
    expect.stringMatching(
      `^warn RqWorker: ${about}: attempt 2 of 3 failed: TypeError: no.*image; runs again in 50ms$`,
    ),
  ]);
  expect(lines('error')).toEqual([
    expect.stringMatching(`^error RqWorker: ${about}: attempt 3 failed: TypeError: no.*image; `),
  ]);
  expect(logs.stacks[0]).toMatch(/TypeError: no\nimage\n.*logging\.spec/s);
  expect(logs.lines.join('\n')).not.toContain('payload');
});

it('what a handler says about its job is in the line', async () => {
  await settled(await work.enqueue('nonRetryable'));
  await settled(await work.enqueue('later'));
  await settled(await work.enqueue('unwanted'));
  await eventually(() => lines('error').length + lines('warn').length >= 3, { what: 'all lines' });
  expect(lines('error').join('\n')).toContain('the image is gone');
  expect(lines('warn').join('\n')).toMatch(/too early; runs again in 20ms/);
  expect(lines('warn').join('\n')).toContain('canceled in attempt 1: nobody wants it');
});

it('a handler that throws undefined is logged readably', async () => {
  await settled(await work.enqueue('throwing'));
  await eventually(() => lines('error').length > 0, { what: 'the error line' });
  expect(lines('error')[0]).toMatch(/attempt 1 failed: \S+/);
});

it('a job that nobody handles is an error line with the names that are', async () => {
  await settled(await work.enqueue('unknown'));
  await eventually(() => lines('error').length > 0, { what: 'the error line' });
  expect(lines('error')[0]).toMatch(/UnknownJobError: .*Known here: .*failing/);
});

it('an id without a job is dropped with a warn line of its own', async () => {
  await applications.redis.client().rpush('rq:queue:work', 'gone\nwarn forged');
  await eventually(() => lines('warn').length > 0, { what: 'the warn line' });
  expect(lines('warn')).toEqual([expect.stringMatching(/Job gone.warn forged \(queue work\) was/)]);
});

it('what goes well is not logged, but the handlers, and start and stop of the worker', async () => {
  await settled(await work.enqueue('quick'));
  await app.close();
  expect(logs.ours.filter((line) => !line.startsWith('log RqExplorer: Mapped '))).toEqual([
    'log RqWorker: Worker started: queue work, concurrency 3',
    'log RqWorker: Worker stopped: queue work',
  ]);
});
