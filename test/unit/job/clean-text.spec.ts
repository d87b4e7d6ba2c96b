import { JobFailedError, MalformedJobError } from 'nestjs-rq';
import { cleanLine, cleanText } from '../../../lib/job/clean-text.js';
import { least } from '../../support/timing.js';

const ESC = '\u001B';

describe('a line', () => {
  it.each([
    ['Zoë paid 5 € 👩‍👧 نام', 'Zoë paid 5 € 👩‍👧 نام'],
    ['a\nb\r\nc', 'a?b??c'],
    [`${ESC}[31mred${ESC}[0m`, 'red'],
    [`${ESC}[2J${ESC}[1;1Hgone`, 'gone'],
    [`${ESC}]0;title\u0007text`, 'text'],
    [`${ESC}]8;;https://evil.example${ESC}\\link${ESC}]8;;${ESC}\\`, 'link'],
    [`\u009B31mred`, 'red'],
    [`${ESC}cfresh`, 'fresh'],
    [`${ESC}]unfinished`, 'unfinished'],
    [`${ESC}`, ''],
    ['a\u0000b\u0008c', 'a?b?c'],
    ['user\u202Egnp.exe', 'user?gnp.exe'],
    ['one\u2028two\u2029three\u0085four', 'one?two?three?four'],
    ['half \uD800 of one', 'half ? of one'],
  ])('%j has nothing left that a log or terminal obeys', (text, line) => {
    expect(cleanLine(text)).toBe(line);
  });

  it('is of limited length', () => {
    expect(cleanLine('x'.repeat(10_000))).toHaveLength(4000);
    expect(cleanLine('x'.repeat(10_000), 500)).toHaveLength(500);
  });
});

it('of several lines breaks and tabs stay', () => {
  const text = `Traceback:\n\tline ${ESC}[31m1${ESC}[0m\r\n\u0000end\u202E`;
  expect(cleanText(text)).toBe('Traceback:\n\tline 1 \n end ');
});

it.each([
  `${ESC}[`,
  `${ESC}]`,
  `${ESC}]a`,
  `${ESC}[1;`,
  '\u009B',
  `${ESC} `,
  `${ESC}[${'1'.repeat(9)}`,
])('a megabyte of %j costs no more than other text', async (part) => {
  const text = part.repeat(2 ** 20 / part.length);
  const took = await least(
    async () => {
      const begun = performance.now();
      cleanText(text);
      cleanText(`${ESC}[${'1;'.repeat(2 ** 19)}`);
      cleanText(`${ESC}]${'x'.repeat(2 ** 20)}`);
      return performance.now() - begun;
    },
    { enough: 1000, rounds: 3 },
  );
  expect(took).toBeLessThan(1000);
});

it('errors quote what strangers wrote as one line, and keep the lines of a failure', () => {
  const traceback = `Traceback (most recent call last):\n  File "x"\nValueError: ${ESC}[2Jbad`;
  const failed = new JobFailedError({ jobId: `a\nforged${ESC}[31m`, reason: traceback });
  expect(failed.message).toBe('Job "a?forged" failed: ValueError: bad');
  expect(failed.reason).toBe('Traceback (most recent call last):\n  File "x"\nValueError: bad');
  const malformed = new MalformedJobError({ jobId: 'a', problem: `its status is "${ESC}c\r\n"` });
  expect(malformed.message).toBe('Job "a" cannot be read: its status is "??".');
  expect(malformed.stack).not.toContain('\r');
  expect(malformed.stack).not.toContain(ESC);
});
