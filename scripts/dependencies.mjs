// `git clone` and then one command is all that a newcomer should need: the demo and the check install
// what is missing by themselves, and do nothing when the installed packages are those of the lock file.
import { statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runNpm } from './child-processes.mjs';

/** The folder of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url));

/** Whether node_modules is missing, half installed or older than package-lock.json. */
export function dependenciesAreStale() {
  const installed = statSync(`${root}node_modules/.package-lock.json`, { throwIfNoEntry: false });
  return (
    installed === undefined || installed.mtimeMs < statSync(`${root}package-lock.json`).mtimeMs
  );
}

/** Runs `npm ci`. Its warnings about other people's packages are of no use here and not shown. */
export async function installDependencies() {
  await runNpm(['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root });
}
