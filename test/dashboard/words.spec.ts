// The words of the page in each language, cron expressions in words, and the size of the page.
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { buildPage } from '../../scripts/compile-dashboard.mjs';

type Words = Record<string, string | Record<string, string>>;
const folder = new URL('../../lib/dashboard/ui/words/', import.meta.url);
const read = (name: string) => JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Words;
const english = read('en.json');
const others = readdirSync(folder).filter((name) => name !== 'en.json');

/** `{n}`, `{queue}`: what is filled in. */
const blanks = (text: string | Record<string, string> | undefined) =>
  [
    ...new Set(
      Object.values(typeof text === 'object' ? text : { other: text ?? '' }).flatMap(
        (one) => one.match(/\{\w+\}/g) ?? [],
      ),
    ),
  ].toSorted();

it('there are eight languages', () => {
  expect(others.map((name) => basename(name, '.json'))).toEqual([
    'ar',
    'de',
    'es',
    'fr',
    'ja',
    'pt-BR',
    'zh',
  ]);
});

it.each(others)(
  '%s has every text, with the same things to fill in and its own plurals',
  (name) => {
    const words = read(name);
    expect(Object.keys(words).toSorted()).toEqual(Object.keys(english).toSorted());
    const differing = Object.keys(english).filter(
      (key) => blanks(words[key]).join() !== blanks(english[key]).join(),
    );
    expect(differing).toEqual([]);
    const forms = new Intl.PluralRules(basename(name, '.json')).resolvedOptions().pluralCategories;
    const known = new Set<string>([...forms, 'other']);
    for (const [key, text] of Object.entries(words)) {
      expect([key, typeof text]).toEqual([key, typeof english[key]]);
      const given = typeof text === 'object' ? Object.keys(text) : ['other'];
      expect([key, given.includes('other'), given.every((form) => known.has(form))]).toEqual([
        key,
        true,
        true,
      ]);
    }
  },
);

describe('a cron expression in words', () => {
  let cronWords: (cron: string) => string | undefined;
  beforeAll(async () => {
    const { outputFiles } = await build({
      entryPoints: [fileURLToPath(new URL('../cron-words.ts', folder))],
      bundle: true,
      format: 'esm',
      write: false,
    });
    const code = Buffer.from(outputFiles[0]!.contents).toString('base64');
    ({ cronWords } = (await import(`data:text/javascript;base64,${code}`)) as {
      cronWords: typeof cronWords;
    });
  });

  it.each([
    ['* * * * *', 'every minute'],
    ['*/5 * * * *', 'every 5 min'],
    ['0/15 * * * *', 'every 15 min'],
    ['0 * * * *', 'every hour'],
    ['@hourly', 'every hour'],
    ['20 * * * *', 'every hour, 20 min past'],
    ['0 */6 * * *', 'every 6 hr'],
    ['0 0 6 * * *', 'daily at 6:00 AM'],
    ['30 7,19 * * *', 'daily at 7:30 AM and 7:30 PM'],
    ['@daily', 'daily at 12:00 AM'],
    ['0 6 * * 1', 'Monday, at 6:00 AM'],
    ['0 6 ? * MON,thu', 'Monday and Thursday, at 6:00 AM'],
    ['15 8 * * 1-5', 'Monday – Friday, at 8:15 AM'],
    ['0 9 * * 7', 'Sunday, at 9:00 AM'],
    ['0 0 1 * *', 'each month on day 1, at 12:00 AM'],
    ['0 0 1,15 * *', 'each month on day 1 and 15, at 12:00 AM'],
    ['0 12 24 DEC *', 'each year on December 24, at 12:00 PM'],
  ])('%s', (cron, words) => {
    expect(cronWords(cron)?.replaceAll('\u202f', ' ')).toBe(words);
  });

  const odd =
    '*/7 * * * *|0 */5 * * *|*/5 8-17 * * *|1-59/7 8-17 * * 1-5|30 * * * * *|0 6 * * 1#2|0 6 L * *|' +
    '0 0 13 * 5|*/5 * * * 1|61 * * * *|0 6 * JAN-MAR *|0 1,2,3,4,5 * * *||nonsense|0 6 * * Tag';
  it.each(odd.split('|'))('%s stays as it is', (cron) => {
    expect(cronWords(cron)).toBeUndefined();
  });
});

it('the page is small: what comes first, and all of it', async () => {
  const { files, metafile } = await buildPage();
  const gz = (name: string) => gzipSync(files.get(name)!).length / 1024;
  const names = [...files.keys()];
  const main = names.find((name) => /^main-.*\.js$/.test(name))!;
  const output = Object.entries(metafile.outputs).find(([path]) => basename(path) === main)![1];
  const first = [
    main,
    ...output.imports
      .filter(({ kind }) => kind === 'import-statement')
      .map(({ path }) => basename(path)),
  ];
  expect(first.reduce((sum, name) => sum + gz(name), 0)).toBeLessThan(40);
  expect(gz(names.find((name) => name.endsWith('.css'))!)).toBeLessThan(6);
  const all = [...files.values()].reduce(
    (sum, file) => sum + brotliCompressSync(file).length / 1024,
    0,
  );
  expect(all).toBeLessThan(80);
});
