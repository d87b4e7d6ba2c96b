// Scripts that use the engine load more than 200 modules, which takes three times as long as all that most of them do.
// In one file they start at once. It is made when it is first needed, and again when anything in it has changed.
import { buildSync } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const HOUR = 3_600_000;
const folder = join(root, 'node_modules/.cache/nestjs-rq-scripts');

/** The path of a script with all that it imports. It must not ask for its own place (`import.meta`). */
export function bundledScript(path: string): string {
  const file = join(folder, `${basename(path, '.mjs')}-${stateOf(path)}.mjs`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  removeOld();
  // Another process may make the same one: it appears under its name in one step.
  const draft = `${file}.${process.pid}`;
  buildSync({
    entryPoints: [path],
    outfile: draft,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    keepNames: true,
    // For packages that are no ES modules.
    banner: {
      js: "import { createRequire as requireFor } from 'node:module'; const require = requireFor(import.meta.url);",
    },
  });
  renameSync(draft, file);
  return file;
}

/** Those of before the last changes; the newest may be starting just now in another process. */
function removeOld(): void {
  for (const name of readdirSync(folder)) {
    const { mtimeMs } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    if (Date.now() - mtimeMs > HOUR) rmSync(join(folder, name), { force: true });
  }
}

/** Another one after each change of the script, of what is built, or of the packages. */
function stateOf(path: string): string {
  const built = readdirSync(join(root, 'dist'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.js'))
    .map((name) => join(root, 'dist', name));
  const hash = createHash('sha1');
  for (const file of [path, join(root, 'package-lock.json'), ...built.toSorted()]) {
    hash.update(`${file} ${statSync(file).mtimeMs}\n`);
  }
  return hash.digest('hex').slice(0, 16);
}
