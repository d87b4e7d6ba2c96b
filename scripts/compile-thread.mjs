// Makes lib/redis/lease-guard-program.ts: the lease guard's thread, with all that it imports, as one text. A thread can be
// started from a text wherever the code ends up; a bundler would not take a file along. What it asks Node for, it
// gets from Node itself, so that it runs in CommonJS and in ES modules.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

const folder = fileURLToPath(new URL('../lib/redis/', import.meta.url));

const { outputFiles, metafile } = buildSync({
  entryPoints: [`${folder}lease-guard-thread.ts`],
  absWorkingDir: folder,
  bundle: true,
  write: false,
  metafile: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  tsconfigRaw: {},
  banner: { js: '(function (require) {' },
  footer: { js: '})(process.getBuiltinModule);' },
});
const foreign = Object.values(metafile.outputs)
  .flatMap(({ imports }) => imports)
  .filter(({ path }) => !path.startsWith('node:'));
if (foreign.length > 0) throw new Error(`the thread has no "${foreign[0].path}" to import`);

const text = `// Made by scripts/compile-thread.mjs out of lease-guard-thread.ts.
export const LEASE_GUARD_PROGRAM = ${JSON.stringify(outputFiles[0].text)};
`;
const target = `${folder}lease-guard-program.ts`;
if (!existsSync(target) || readFileSync(target, 'utf8') !== text) writeFileSync(target, text);
