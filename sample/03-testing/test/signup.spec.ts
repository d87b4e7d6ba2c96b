// The application from outside: requests come in, jobs are enqueued and run, time passes.
import type { MailJobs } from '../src/mail.jobs.js';
import { type Application, startApplication } from './application.js';

const ann = { email: 'ann@example.org', name: 'Ann', language: 'fr' };

describe('a signup', () => {
  let application: Application;

  beforeAll(async () => {
    application = await startApplication();
  });

  afterEach(async () => {
    await application.rq.clear();
    application.mailer.sent.length = 0;
    application.mailer.isDown = false;
  });

  afterAll(() => application.app.close());

  it('is answered before any mail is sent', async () => {
    const { rq, mailer, post } = application;
    expect(await post('/members', ann)).toBe(201);

    const mail = rq.queue<MailJobs>('mail');
    await expect(mail).toHaveEnqueued('sendWelcome', { to: ann.email });
    await expect(mail).toHaveEnqueued('remind', expect.objectContaining({ to: ann.email }));
    expect(mailer.sent).toEqual([]);
  });

  it('says when and how each mail is to be sent', async () => {
    const { rq, post } = application;
    await post('/members', ann);
    expect(await rq.enqueued('mail')).toMatchObject([
      { name: 'sendWelcome', dueIn: 0, retriesLeft: 3, meta: { language: 'fr' } },
      // Give or take the seconds that pass meanwhile.
      { name: 'remind', dueIn: expect.closeTo(24 * 60 * 60, -1) },
    ]);
  });

  it('greets in the language of the member', async () => {
    const { rq, mailer, post } = application;
    await post('/members', ann);
    await post('/members', { email: 'ben@example.org', name: 'Ben' });
    await rq.drain();
    expect(mailer.sent.toSorted()).toEqual([
      'ann@example.org: Bienvenue, Ann!',
      'ben@example.org: Welcome, Ben!',
    ]);
  });

  it('gets its welcome although the mail server is down for a while', async () => {
    const { rq, mailer, post } = application;
    mailer.isDown = true;
    await post('/members', ann);
    expect(await rq.drain()).toMatchObject({ retrying: 1 });
    expect(await rq.advance('1m')).toMatchObject({ retrying: 1 });

    mailer.isDown = false;
    expect(await rq.advance('9m')).toMatchObject({ finished: 0 });
    expect(await rq.advance('1m')).toMatchObject({ finished: 1 });
    expect(mailer.sent).toEqual(['ann@example.org: Bienvenue, Ann!']);
  });

  it('is given up after three retries', async () => {
    const { rq, mailer, post } = application;
    mailer.isDown = true;
    await post('/members', ann);
    expect(await rq.advance('2h')).toMatchObject({ retrying: 3, failed: 1 });
  });

  it('is reminded of after a day', async () => {
    const { rq, mailer, post } = application;
    await post('/members', ann);
    await rq.advance('1d');
    expect(mailer.sent.at(-1)).toBe('ann@example.org: Please confirm your address.');
  });

  it('is not reminded of when it is confirmed', async () => {
    const { rq, mailer, post } = application;
    await post('/members', ann);
    await post(`/members/${ann.email}/confirm`);
    await rq.advance('1d');
    expect(mailer.sent).toEqual(['ann@example.org: Bienvenue, Ann!']);
    expect(await rq.enqueued('mail')).toEqual([]);
  });
});
