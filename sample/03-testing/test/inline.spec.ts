// Where the jobs are not the point of a test, they may run as soon as they are enqueued.
import { startApplication } from './application.js';

it('with jobs inline, the welcome is sent when the signup is answered', async () => {
  const { app, mailer, post } = await startApplication({ mode: 'inline' });
  await post('/members', { email: 'ann@example.org', name: 'Ann' });
  expect(mailer.sent).toEqual(['ann@example.org: Welcome, Ann!']);
  await app.close();
});
