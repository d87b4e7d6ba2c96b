// What is in the package: all that runs and all that a compiler or a debugger asks for, and nothing else.
import { jest } from '@jest/globals';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, posix, sep } from 'node:path';
import { run } from '../../scripts/child-processes.mjs';
import { packLibrary, root, type PackedLibrary } from './packed-library.js';

// Packing takes a second, and more on a busy machine.
jest.setTimeout(180_000);

let folder: string;
let library: PackedLibrary;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rq-packed-'));
  library = await packLibrary(folder);
  await run('tar', ['-xzf', library.archive, '-C', folder], { timeLimit: 60 });
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function read(path: string): Promise<string> {
  return readFile(join(folder, 'package', path), 'utf8');
}

it('what lib/ becomes is there, with scripts and declarations, and no test or source', () => {
  const inLib = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
    .map((name) => name.split(sep).join('/'))
    .filter((name) => /\.(ts|mjs)$/.test(name))
    // The page is in the package as the text that it becomes: dashboard/server/built-assets.js.
    .filter((name) => !name.startsWith('dashboard/ui/'));
  expect(inLib.length).toBeGreaterThan(50);
  const ofLib = inLib.flatMap((name) => {
    if (!name.endsWith('.ts')) return [`dist/${name}`];
    const stem = `dist/${name.slice(0, -'.ts'.length)}`;
    return [`${stem}.js`, `${stem}.js.map`, `${stem}.d.ts`];
  });
  const observability = ['observability/grafana.json', 'observability/rules.yml'];
  const docs = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.\w+$/.test(name))
    .map((name) => `docs/${name.split(sep).join('/')}`);
  const pages = [
    'CHANGELOG.md',
    'LICENSE',
    'README.md',
    'bench/README.md',
    'bench/RESULTS.md',
    ...docs,
  ];
  const beside = ['package.json', ...pages, ...observability];
  expect(library.files.toSorted()).toEqual([...beside, ...ofLib].toSorted());
});

it('every link from one of its pages leads to a file of the package, or to an address', async () => {
  const pages = library.files.filter((name) => name.endsWith('.md'));
  const dead: string[] = [];
  for (const page of pages) {
    const text = (await read(page)).replace(/^```[^]*?^```$/gm, '');
    for (const [, link = ''] of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const [path = ''] = link.split('#');
      const target = posix.join(posix.dirname(page), path);
      const isThere = path === '' || /^https?:/.test(path) || library.files.includes(target);
      if (!isThere) dead.push(`${page}: ${link}`);
    }
  }
  expect(pages).toContain('docs/getting-started.md');
  expect(dead).toEqual([]);
});

it('every source map that a file names is there and carries its sources', async () => {
  const problems: string[] = [];
  for (const path of library.files.filter((name) => /\.(js|mjs|ts)$/.test(name))) {
    const named = /^\/\/# sourceMappingURL=(.*)$/m.exec(await read(path))?.[1];
    if (named === undefined) continue;
    const map = posix.join(dirname(path), named);
    if (!library.files.includes(map)) problems.push(`${path} names ${map}, which is not packed`);
    else if (!(await carriesItsSources(map))) problems.push(`${map} lacks its sources`);
  }
  expect(problems).toEqual([]);
});

async function carriesItsSources(map: string): Promise<boolean> {
  const { sources, sourcesContent = [] } = JSON.parse(await read(map)) as {
    sources: string[];
    sourcesContent?: (string | null)[];
  };
  return sources.every((_, index) => typeof sourcesContent[index] === 'string');
}
