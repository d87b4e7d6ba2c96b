import { Injectable } from '@nestjs/common';
import { Job, RqModule, type Queue } from 'nestjs-rq';
import { rqMatchers } from 'nestjs-rq/testing';
import 'nestjs-rq/testing/jest';
import { NOWHERE, closeApplicationsAfterEach, start, startMail } from './support/kit.js';

closeApplicationsAfterEach();

async function startProducer() {
  const { rq } = await start({ imports: [RqModule.forRoot({ connection: NOWHERE })] });
  return { rq, mail: rq.queue('mail') };
}

/** The message of an assertion that should fail. */
async function failureOf(assertion: Promise<void>): Promise<string> {
  const error: unknown = await assertion.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return (error as Error).message;
}

describe('enqueued', () => {
  it('shows what waits in its order, then what is scheduled by its time', async () => {
    const { rq, mail } = await startProducer();
    await mail.enqueueIn('2h', 'late');
    await mail.enqueueIn('1h', 'early', undefined, { meta: { by: 'ann' } });
    await mail.enqueue('first', { to: 'a@b.c' }, { retry: { max: 3, interval: 60 } });
    await mail.enqueue('second', [1, 2]);
    await mail.enqueue('front', undefined, { atFront: true });
    const now = (await rq.now()).getTime();

    const jobs = await rq.enqueued('mail');
    expect(jobs).toMatchObject([
      { name: 'front', status: 'queued', dueIn: 0, dueAt: undefined },
      { name: 'first', data: { to: 'a@b.c' }, retriesLeft: 3, attempts: 0, queue: 'mail' },
      { name: 'second', data: [1, 2] },
      { name: 'early', status: 'scheduled', dueIn: expect.closeTo(3600, -1), meta: { by: 'ann' } },
      { name: 'late', status: 'scheduled', dueIn: expect.closeTo(7200, -1) },
    ]);
    expect(jobs[3]!.dueAt!.getTime() - now).toBeGreaterThan(3_590_000);
    expect(jobs[3]!.dueAt!.getTime() - now).toBeLessThan(3_610_000);
  });

  it('shows more jobs than are read at once', async () => {
    const { rq, mail } = await startProducer();
    await mail.enqueueMany(Array.from({ length: 250 }, (_, data) => ({ name: 'count', data })));
    const jobs = await rq.enqueued(mail);
    expect(jobs.map(({ data }) => data)).toEqual(Array.from({ length: 250 }, (_, data) => data));
  });

  it('is empty after clear, and the clock is where it was', async () => {
    const { rq, mail } = await startProducer();
    await rq.advance('1h');
    await mail.enqueue('now');
    await mail.enqueueIn('1h', 'later');
    await rq.clear();
    expect(await rq.enqueued('mail')).toEqual([]);
    expect((await rq.now()).getTime() - Date.now()).toBeGreaterThan(3_500_000);
    await mail.enqueue('again');
    expect(await rq.enqueued('mail')).toMatchObject([{ name: 'again' }]);
  });
});

describe('toHaveEnqueued', () => {
  it('finds a job by its name, in the queue and in its schedule', async () => {
    const { mail } = await startProducer();
    await mail.enqueue('sendMail', { to: 'a@b.c' });
    await mail.enqueueIn('1h', 'remind', { to: 'a@b.c' });
    await expect(mail).toHaveEnqueued('sendMail');
    await expect(mail).toHaveEnqueued('remind');
    await expect(mail).not.toHaveEnqueued('other');
  });

  it('compares data as toEqual does, asymmetric matchers included', async () => {
    const { mail } = await startProducer();
    await mail.enqueue('sendMail', { to: 'a@b.c', subject: 'Hello' });
    await expect(mail).toHaveEnqueued('sendMail', { to: 'a@b.c', subject: 'Hello' });
    await expect(mail).toHaveEnqueued('sendMail', expect.objectContaining({ to: 'a@b.c' }));
    await expect(mail).not.toHaveEnqueued('sendMail', { to: 'a@b.c' });
    await expect(mail).not.toHaveEnqueued('sendMail', undefined);
  });

  it('says what is enqueued instead', async () => {
    const { mail } = await startProducer();
    expect(await failureOf(expect(mail).toHaveEnqueued('sendMail'))).toBe(
      'Expected queue "mail" to have enqueued "sendMail".\n\nNothing is enqueued there.',
    );
    await mail.enqueue('sendMail', { to: 'a@b.c' });
    await mail.enqueueIn('1h', 'remind', 7);
    const wanted = expect.objectContaining({ to: 'x@y.z' });
    expect(await failureOf(expect(mail).toHaveEnqueued('sendMail', wanted))).toBe(
      'Expected queue "mail" to have enqueued "sendMail" with data ObjectContaining {"to": "x@y.z"}.\n\n' +
        'Enqueued there:\n  sendMail {"to": "a@b.c"}\n  remind 7 (scheduled)',
    );
    expect(await failureOf(expect(mail).not.toHaveEnqueued('remind'))).toContain(
      'Expected queue "mail" not to have enqueued "remind".',
    );
  });

  it('refuses what is no queue', async () => {
    expect(await failureOf(expect('mail').toHaveEnqueued('sendMail'))).toContain('is for a Queue');
  });

  it('can be given to expect.extend by hand', async () => {
    const { mail } = await startProducer();
    await mail.enqueue('sendMail');
    expect.extend(rqMatchers);
    await expect(mail).toHaveEnqueued('sendMail');
  });

  it('works for a queue typed by its handlers', async () => {
    const { rq } = await startProducer();
    interface Jobs {
      sendMail(data: { to: string }): Promise<void>;
    }
    const mail: Queue<Jobs> = rq.queue<Jobs>('mail');
    await mail.enqueue('sendMail', { to: 'a@b.c' });
    await expect(mail).toHaveEnqueued('sendMail', { to: 'a@b.c' });
    expect(await rq.enqueued(mail)).toHaveLength(1);
  });
});

@Injectable()
class Jobs {
  readonly ran: string[] = [];

  @Job('mail')
  send(to: string) {
    this.ran.push(to);
  }
}

it('jobs with a priority are shown in their order, and all of them are drained', async () => {
  const { rq, mail, ran } = await startMail(Jobs);
  await mail.enqueue('send', 'normal');
  await mail.enqueueMany([
    { name: 'send', data: 'low', options: { priority: 'low' } },
    { name: 'send', data: 'high', options: { priority: 'high' } },
  ]);
  expect((await rq.enqueued('mail')).map(({ data }) => data)).toEqual(['high', 'normal', 'low']);
  expect(await rq.drain()).toMatchObject({ finished: 3 });
  expect(ran).toEqual(['high', 'normal', 'low']);
});
