import { readFileSync } from 'node:fs';
import { VERSION, causeOf, causeOfLine, plainMessage } from '../../../lib/job/index.js';
import { least } from '../../support/timing.js';

const STACK = (file: string, line: number) =>
  `Error: x\n    at node:internal/timers:1:2\n    at call (/app/node_modules/axios/index.js:5:6)\n    at charge (${file}:${line}:3)\n    at run (/app/other.js:9:9)`;

const failure = (message: string, stack = STACK('/app/pay.js', 10), name = 'TimeoutError') => ({
  name,
  message,
  stack,
});

describe('the cause of a failure', () => {
  const cause = causeOf('charge', failure('connect ETIMEDOUT 10.0.0.1:443'));

  it('is a short key', () => expect(cause).toMatch(/^[\da-f]{10}$/));

  it.each([
    ['another number', 'charge', failure('connect ETIMEDOUT 10.0.0.27:8443')],
    [
      'another line of the file',
      'charge',
      failure('connect ETIMEDOUT 1.1.1.1:1', STACK('/app/pay.js', 99)),
    ],
  ])('is the same with %s', (_, name, other) => expect(causeOf(name, other)).toBe(cause));

  it.each([
    ['another job', 'refund', failure('connect ETIMEDOUT 10.0.0.1:443')],
    ['another error', 'charge', failure('connect ETIMEDOUT 10.0.0.1:443', undefined, 'TypeError')],
    ['another message', 'charge', failure('connect ECONNREFUSED 10.0.0.1:443')],
    [
      'another place of our own',
      'charge',
      failure('connect ETIMEDOUT 1.1.1.1:1', STACK('/app/mail.js', 10)),
    ],
  ])('is another with %s', (_, name, other) => expect(causeOf(name, other)).not.toBe(cause));

  it('of a line alone goes by job, error and message', () => {
    expect(causeOfLine('add', 'ValueError: bad 1')).toBe(causeOfLine('add', 'ValueError: bad 2'));
    expect(causeOfLine('add', 'ValueError: bad')).not.toBe(causeOfLine('add', 'KeyError: bad'));
    expect(causeOfLine(undefined, '')).toMatch(/^[\da-f]{10}$/);
  });

  it('takes no long time for long texts', async () => {
    const took = await least(
      async () => {
        const start = performance.now();
        causeOf('x', failure('"\'`0'.repeat(100_000), 'at '.repeat(300_000)));
        causeOf('x', failure('a'.repeat(1_000_000), `\n${'at x'.repeat(250_000)}`));
        return performance.now() - start;
      },
      { enough: 1000, rounds: 3 },
    );
    expect(took).toBeLessThan(1000);
  });
});

it.each([
  ['job 17 of "ann smith"', 'job # of "…"'],
  ['no user 5f2c9a3e-1b2c-4d5e-8f90-123456789abc', 'no user #'],
  ['at 0xdeadbeef', 'at #'],
  ['cannot read face of dead beef', 'cannot read face of dead beef'],
])('a message without what differs: %s', (message, plain) =>
  expect(plainMessage(message)).toBe(plain),
);

it('the version is that of the package', () => {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  expect(VERSION).toBe((JSON.parse(text) as { version: string }).version);
});
