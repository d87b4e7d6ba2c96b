// The command line at a real terminal: what `top` shows and does by its keys, questions, and how the terminal is left.
import { Engine } from '../integration/support/engine.js';
import { eventually } from '../support/wait.js';
import { Terminal } from './support/terminal.js';

const engine = Engine.forThisFile();
let terminal: Terminal;
afterEach(() => terminal.kill());

const open = (words: string, after?: string) =>
  (terminal = new Terminal(words, { RQ_REDIS_URL: engine.redis.url }, after));

async function failedJobs(queue: string, count: number): Promise<void> {
  const worker = await engine.work([
    { name: 'boom', queue, run: () => Promise.reject(new RangeError('no answer\u001B[2J')) },
  ]);
  await engine.queue(queue).enqueueMany(Array.from({ length: count }, () => ({ name: 'boom' })));
  await worker.events.waitFor('jobFailed', count);
  await worker.stop();
}

it('top pauses, resumes and requeues when its question is answered by yes', async () => {
  await failedJobs('mail', 3);
  await failedJobs('pdf', 2);
  const [mail, pdf] = [engine.queue('mail'), engine.queue('pdf')];
  const top = open('top', 'stty -a');
  await top.sees('▸ mail');

  top.type('\u001B[B');
  await top.sees('▸ pdf');
  top.type('p');
  await top.sees('Pause pdf');
  top.type('n');
  await top.sees('Nothing was done.');
  expect(await pdf.isPaused()).toBe(false);
  top.type('p');
  await top.sees('Pause pdf');
  top.type('y');
  await top.sees('pdf (paused)');
  expect(await pdf.isPaused()).toBe(true);
  top.type('p');
  await top.sees('Resume pdf?');
  top.type('y');
  await top.sees('pdf is not paused now.');

  top.type('k');
  await top.sees('▸ mail');
  top.type('\r');
  await top.sees(/▸ [\da-f]{10} +3 +mail .*RangeError: no answer/);
  top.type('r');
  await top.sees(/Requeue 3 jobs of cause [\da-f]{10} in mail\?/);
  top.type('y');
  await top.sees('3 jobs requeued.');
  expect(await mail.counts()).toMatchObject({ failed: 0, queued: 3 });
  expect((await pdf.counts()).failed).toBe(2);

  top.type('/zzz\r');
  await top.sees('/ zzz');
  top.type('q');
  top.type('/\r');
  await top.sees('▸ mail');
  top.type('j');
  top.type('r');
  await top.sees('Requeue 2 jobs in pdf?');
  top.type('x');
  await top.sees('Nothing was done.');
  top.type('x');
  // The other screen is gone, the cursor is back, and lines are lines again.
  // oxlint-disable-next-line no-control-regex -- the codes of a terminal
  await top.sees(/\u001B\[\?25h\u001B\[\?1049l[\s\S]*\bicanon\b[\s\S]* echo\b/);
  expect(await top.exited()).toBe(0);
  const entries = await engine.client.xlen('rq:nrq:audit');
  // Pause, resume, requeue: before and after.
  expect(entries).toBe(6);
}, 90_000);

it('top ends by Ctrl-C, also while it is filtering', async () => {
  await engine.queue('mail').enqueue('send');
  const top = open('top');
  await top.sees('▸ mail');
  top.type('/');
  await top.sees('/ _');
  top.type('\u0003');
  expect(await top.exited()).toBe(0);
}, 60_000);

it('top says so when Redis is away, and goes on when it is back', async () => {
  await engine.queue('mail').enqueue('send');
  const top = open('top --timeout 3');
  await top.sees('▸ mail');
  await engine.redis.restart();
  await engine.queue('pdf').enqueue('print');
  await top.sees('▸ pdf');
  top.type('x');
  expect(await top.exited()).toBe(0);
}, 60_000);

it('a question is asked and answered, in colours that are only ours', async () => {
  await failedJobs('mail', 2);
  const listed = open('jobs mail --in failed');
  expect(await listed.exited()).toBe(0);
  expect(listed.shown).toContain('\u001B[2m');
  // oxlint-disable-next-line no-control-regex -- all but colours would be a stranger's
  expect(listed.shown.replace(/\u001B\[\d+m/g, '')).not.toMatch(
    // oxlint-disable-next-line no-control-regex -- they are what is looked for
    /[\u0000-\u0008\u000B\u000C\u000E-\u001F\u009B]/,
  );
  const asked = open('delete mail --in failed --all');
  await asked.sees('Delete 2 jobs of mail? [y/N]');
  asked.type('n\r');
  expect(await asked.exited()).toBe(1);
  const done = open('delete mail --in failed --all');
  await done.sees('[y/N]');
  done.type('y\r');
  expect(await done.exited()).toBe(0);
  expect((await engine.queue('mail').counts()).failed).toBe(0);
  await eventually(async () => (await engine.client.xlen('rq:nrq:audit')) === 2, {
    what: 'the audit',
  });
}, 90_000);
