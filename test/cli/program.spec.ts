// The program itself, as a process: it starts, ends with its exit code, and bears that nobody reads on.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Engine } from '../integration/support/engine.js';
import { assertBuilt } from '../support/children.js';
import { within } from '../support/wait.js';

const engine = Engine.forThisFile();
const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

beforeAll(assertBuilt);

function start(...words: string[]) {
  const child = spawn(process.execPath, [program, ...words], {
    env: { PATH: process.env['PATH'] ?? '', REDIS_URL: engine.redis.url },
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  return { child, ended: () => within(ended, { what: 'the program to end', timeout: 60_000 }) };
}

it('ends with the exit code of its command', async () => {
  await engine.queue('mail').enqueue('send');
  const [good, bad, wrong] = [start('info', '--json'), start('job', 'nobody'), start('nonsense')];
  expect([await good.ended(), await bad.ended(), await wrong.ended()]).toEqual([0, 5, 2]);
}, 90_000);

it('ends quietly when nobody reads any more', async () => {
  const jobs = Array.from({ length: 2000 }, () => ({ name: 'send', data: 'x'.repeat(100) }));
  await engine.queue('mail').enqueueMany(jobs);
  const { child, ended } = start('jobs', '--json');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  child.stdout.once('data', () => child.stdout.destroy());
  expect(await ended()).toBe(0);
  expect(errors).toBe('');
}, 90_000);
