// The library as users get it: what `npm pack` makes of dist/, which must have been built.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertBuilt } from '../support/children.js';
import { runNpm } from '../../scripts/child-processes.mjs';

export const root = fileURLToPath(new URL('../../', import.meta.url));

export interface PackedLibrary {
  /** Path of the `.tgz`. */
  readonly archive: string;
  /** What it holds: paths with slashes, below the package's folder. */
  readonly files: string[];
}

/** Packs the library into a folder. */
export async function packLibrary(folder: string): Promise<PackedLibrary> {
  assertBuilt();
  // Without scripts: `prepack` would build, that is empty dist/ for a while, and other tests use it.
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', folder];
  const [packed] = JSON.parse(await runNpm(args, { cwd: root, timeLimit: 120 })) as [
    { filename: string; files: { path: string }[] },
  ];
  return {
    archive: join(folder, packed.filename),
    files: packed.files.map(({ path }) => path),
  };
}
