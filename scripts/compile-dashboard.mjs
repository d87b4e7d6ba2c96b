// Makes the page of the dashboard: one program with the pages that are opened first, a file for each further page and
// language, and the looks. They become texts in a TypeScript module (built-assets.ts), compressed once here, since a
// bundler finds no files. Names carry a hash of the content, so that a browser may keep them for ever.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants } from 'node:zlib';
import { build, transform } from 'esbuild';

const ui = fileURLToPath(new URL('../lib/dashboard/ui/', import.meta.url));
const module = fileURLToPath(new URL('../lib/dashboard/server/built-assets.ts', import.meta.url));
const self = fileURLToPath(import.meta.url);
const TARGET = ['chrome123', 'firefox121', 'safari17.5'];

/** A language without its keys, which are those of English in their order: that halves it. */
const languages = {
  name: 'languages',
  setup({ onLoad }) {
    onLoad({ filter: /words.[a-zA-Z-]+\.json$/ }, ({ path }) => {
      if (basename(path) === 'en.json') return undefined;
      const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
      const words = read(path);
      const values = Object.keys(read(join(ui, 'words', 'en.json'))).map((key) => words[key]);
      return { contents: JSON.stringify(values), loader: 'json' };
    });
  },
};

/** Looks that come with a page of their own: a text that its program takes over. */
const laterStyle = {
  name: 'later-style',
  setup({ onLoad }) {
    onLoad({ filter: /later\.css$/ }, async ({ path }) => {
      const options = { loader: 'css', minify: true, target: TARGET };
      const { code } = await transform(readFileSync(path, 'utf8'), options);
      return { contents: code, loader: 'text' };
    });
  },
};

/** The files of the page, and what esbuild says of them. */
export async function buildPage() {
  const { outputFiles, metafile } = await build({
    absWorkingDir: ui,
    entryPoints: ['main.tsx', 'style.css'],
    outdir: 'out',
    bundle: true,
    splitting: true,
    format: 'esm',
    target: TARGET,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    metafile: true,
    write: false,
    logLevel: 'warning',
    plugins: [languages, laterStyle],
  });
  const icon = readFileSync(join(ui, 'icon.svg'));
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), contents]));
  files.set(`icon-${hashOf(icon).slice(0, 8)}.svg`, icon);
  return { files, metafile };
}

function hashOf(...texts) {
  const hash = createHash('sha256');
  for (const text of texts) hash.update(text);
  return hash.digest('hex');
}

/** Of all that it is made of: nothing is made again while that is the same. */
function hashOfSources() {
  const names = readdirSync(ui, { recursive: true, encoding: 'utf8' }).sort();
  const sources = names.filter((name) => /\.(tsx?|css|json|svg)$/.test(name));
  const preact = ['preact', '@preact/signals', 'esbuild'].map((name) =>
    readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url)),
  );
  return hashOf(
    readFileSync(self),
    ...preact,
    ...sources.flatMap((name) => [name, readFileSync(join(ui, name))]),
  );
}

async function writeModule() {
  const mark = `// Made by scripts/compile-dashboard.mjs of ${hashOfSources().slice(0, 16)}: change the page in lib/dashboard/ui instead.`;
  if (existsSync(module) && readFileSync(module, 'utf8').startsWith(mark)) return;
  const { files } = await buildPage();
  const named = (start, end) =>
    [...files.keys()].find((name) => name.startsWith(start) && name.endsWith(end));
  const entry = {
    script: named('main-', '.js'),
    style: named('style-', '.css'),
    icon: named('icon-', '.svg'),
  };
  const lines = [...files].map(([name, contents]) => {
    const options = { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } };
    return `  ${JSON.stringify(name)}: ${JSON.stringify(brotliCompressSync(contents, options).toString('base64'))},`;
  });
  const text = `${mark}
/** Names of the files that the page begins with. */
export const ENTRY = ${JSON.stringify(entry)};
/** All files by name: Brotli, as Base64. */
export const BUILT: Readonly<Record<string, string>> = {
${lines.join('\n')}
};
`;
  writeFileSync(module, text);
}

if (process.argv[1] === self || !process.argv[1]?.includes('jest')) await writeModule();
