// Which Python RQs there are to test against, and which one the tests that run now are for.
// A step of the check fetches them; a test file only looks for them. `INTEROP_RQ=2.12 npm run jest -- test/interop`
// runs the tests of the versions that begin so.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FETCHED = fileURLToPath(new URL('../../.cache/python-rq/installed.json', import.meta.url));

/** One RQ, and the Python that runs it. */
export interface Installation {
  readonly version: string;
  /** The executable. */
  readonly python: string;
  /** The folder that holds the package `rq` and what it needs. */
  readonly path: string;
}

const installations = findInstallations();
let chosen: Installation | undefined;

/**
 * `describe` once for each version of RQ. Where there can be none, it skips, loudly, but never in CI.
 */
export function describeInterop(name: string, tests: () => void): void {
  if (installations.length === 0) {
    describe.skip(name, tests);
    return;
  }
  for (const installation of installations) {
    describe(`${name} (RQ ${installation.version})`, () => {
      beforeAll(() => {
        chosen = installation;
      });
      tests();
    });
  }
}

/** The RQ of the tests that run now. */
export function chosenRq(): Installation {
  if (chosen === undefined) throw new Error('No RQ is chosen: use describeInterop');
  return chosen;
}

/** For tests that one RQ is enough for; undefined: there can be none here. */
export function newestRq(): Installation | undefined {
  return installations.toSorted((one, other) =>
    other.version.localeCompare(one.version, 'en', { numeric: true }),
  )[0];
}

function findInstallations(): Installation[] {
  const found = readFetched();
  if (found.length > 0) {
    const wanted = process.env['INTEROP_RQ'] ?? '';
    const matching = found.filter(({ version }) => version.startsWith(wanted));
    if (matching.length > 0) return matching;
    throw new Error(
      `INTEROP_RQ=${wanted} fits none of ${found.map(({ version }) => version).join(', ')}`,
    );
  }
  const problem = 'There is no Python RQ to test against';
  if (process.env['CI'] || spawnSync('apt-get', ['--version']).status === 0) {
    throw new Error(`${problem}. Fetch it: node scripts/fetch-python-rq.mjs`);
  }
  process.stderr.write(`${problem} on this system: THE INTEROPERABILITY TESTS DO NOT RUN.\n`);
  return [];
}

function readFetched(): Installation[] {
  if (!existsSync(FETCHED)) return [];
  const { python, versions } = JSON.parse(readFileSync(FETCHED, 'utf8')) as {
    python: string;
    versions: { version: string; path: string }[];
  };
  const areThere = [python, ...versions.map(({ path }) => path)].every((file) => existsSync(file));
  return areThere ? versions.map((rq) => ({ ...rq, python })) : [];
}
