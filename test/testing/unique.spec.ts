import { Injectable } from '@nestjs/common';
import { Job, type RunningJob } from 'nestjs-rq';
import { closeApplicationsAfterEach, startMail } from './support/kit.js';

closeApplicationsAfterEach();

@Injectable()
class Jobs {
  readonly ran: unknown[] = [];

  @Job('mail')
  note(text: string, job: RunningJob) {
    this.ran.push([text, job.repeatsLeft]);
    return text;
  }
}

const startJobs = () => startMail(Jobs);

it('unique jobs: what is kept out, and what waits with the newest data', async () => {
  const { rq, mail, ran } = await startJobs();
  const unique = { by: 'a', replace: true };
  await mail.enqueue('note', 'old', { unique, delay: '5m' });
  await rq.advance('3m');
  const job = await mail.enqueue('note', 'new', { unique, delay: '5m' });
  expect(job.isNew).toBe(false);
  await rq.advance('3m');
  expect(ran).toEqual([]);
  expect(await rq.enqueued('mail')).toMatchObject([
    { data: 'new', status: 'scheduled', dueIn: expect.closeTo(120, -1) },
  ]);
  await rq.advance('2m');
  expect(ran).toEqual([['new', undefined]]);
});

it('throttle follows the clock of the test', async () => {
  const { rq, mail } = await startJobs();
  const enqueue = () => mail.enqueue('note', 'a', { unique: { by: 'a', for: '1h' } });
  expect((await enqueue()).isNew).toBe(true);
  await rq.drain();
  await rq.advance('59m');
  expect((await enqueue()).isNew).toBe(false);
  await rq.advance('2m');
  expect((await enqueue()).isNew).toBe(true);
});

it('repeats run as their time comes', async () => {
  const { rq, mail, ran } = await startJobs();
  const job = await mail.enqueue('note', 'a', { repeat: { times: 2, interval: ['1h', '1d'] } });
  expect(await rq.drain()).toMatchObject({ finished: 1 });
  expect(await rq.enqueued('mail')).toMatchObject([
    { dueIn: expect.closeTo(3600, -1), repeatsLeft: 1 },
  ]);
  expect(await job.result()).toBe('a');
  await rq.advance('1h');
  expect(await rq.enqueued('mail')).toMatchObject([
    { dueIn: expect.closeTo(86_400, -1), repeatsLeft: 0 },
  ]);
  await rq.advance('1d');
  expect(ran).toEqual([
    ['a', 2],
    ['a', 1],
    ['a', 0],
  ]);
  expect(await job.status()).toBe('finished');
});
