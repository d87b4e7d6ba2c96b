// The words of the page in each language, and the size of the page.
import { readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { brotliCompressSync, gzipSync } from 'node:zlib';
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
