// A handler is a method of an ordinary class: what it does can be tested without any application around it.
import { Language } from '../src/language.js';
import { MailJobs } from '../src/mail.jobs.js';
import { Members } from '../src/members.js';
import { RememberingMailer } from './application.js';

const to = 'ann@example.org';

function createJobs() {
  const mailer = new RememberingMailer();
  const members = new Members();
  members.add(to, 'Ann');
  const language = new Language({ meta: { language: 'de' } });
  return { jobs: new MailJobs(mailer, members, language), mailer, members };
}

it('the welcome is in the language of the job', async () => {
  const { jobs, mailer } = createJobs();
  await jobs.sendWelcome({ to });
  expect(mailer.sent).toEqual(['ann@example.org: Willkommen, Ann!']);
});

it('nobody is reminded who has confirmed', async () => {
  const { jobs, mailer, members } = createJobs();
  expect(await jobs.remind({ to })).toBe('sent');
  members.confirm(to);
  expect(await jobs.remind({ to })).toBe('not needed');
  expect(mailer.sent).toHaveLength(1);
});
