// Every link from one page of this repository to another leads somewhere, to the heading that it names, too.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { ROOT } from './code-blocks.js';

const docs = readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`);
const names = [
  'README.md',
  'CONTRIBUTING.md',
  'bench/RESULTS.md',
  ...docs.filter((name) => name.endsWith('.md')),
];

/** What is not in the package is linked by its address in the repository. */
const HERE = /^https:\/\/github\.com\/nestjs-rq\/nestjs-rq\/(?:tree|blob)\/main\/(.*)$/;

it.each(names)('%s: its links lead somewhere', (name) => {
  const links = [...withoutCode(name).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = '']) => link);
  const broken = links.filter((link) => {
    const here = HERE.exec(link)?.[1];
    if (here === undefined && /^https?:/.test(link)) return false;
    const [path = '', heading] = (here ?? link).split('#');
    const target = here ? path : path === '' ? name : normalize(join(dirname(name), path));
    if (!existsSync(join(ROOT, target))) return true;
    return heading !== undefined && !headings(target).has(heading);
  });
  expect(broken).toEqual([]);
});

function withoutCode(name: string): string {
  return readFileSync(join(ROOT, name), 'utf8').replace(/^```[^]*?^```$/gm, '');
}

/** As GitHub names them. */
function headings(name: string): Set<string> {
  const found = withoutCode(name).matchAll(/^#+ (.*)$/gm);
  return new Set(
    [...found].map(([, text = '']) =>
      text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_\- ]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}
