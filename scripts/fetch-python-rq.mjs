#!/usr/bin/env node
/**
 * Fetches the Python RQs that the interoperability tests run against: 2.3.3, and the newest that Debian has.
 * Each comes from Debian's packages, with all that it needs but Python itself, and is unpacked into
 * `.cache/python-rq` of the checkout. Only a missing python3 is installed into the system.
 *
 *   node scripts/fetch-python-rq.mjs
 *
 * is a step of the check. It leaves `.cache/python-rq/installed.json` for the tests; a second call finds
 * everything in place. The mirror is the one that the system's own Debian source names;
 * `DEBIAN_MIRROR=<url>` overrides it.
 */
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDebianTools, unpackDebianPackages } from './debian-archive.mjs';
import { isAtLeast } from './redis-server.mjs';
import { installSystemPackages } from './system-packages.mjs';

const COMMON_PACKAGES = ['python3-rq', 'python3-redis', 'python3-async-timeout', 'python3-click'];

/** `version` is the one of the name's release of Debian; `orNewer`: that release is still moving. */
const RELEASES = [
  { suite: 'trixie', version: '2.3.3', packages: COMMON_PACKAGES, modules: 'rq.cli, rq.scheduler' },
  {
    suite: 'forky',
    version: '2.12.0',
    orNewer: true,
    packages: [...COMMON_PACKAGES, 'python3-croniter', 'python3-dateutil', 'python3-six'],
    modules: 'rq.cli, rq.scheduler, rq.cron',
  },
];

/** RQ 2.12 needs it. */
const OLDEST_PYTHON = '3.10';

const CACHE = fileURLToPath(new URL('../.cache/python-rq', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const remark = await fetchPythonRq();
  console.log(remark ?? whyNot());
}

/**
 * Makes sure that the versions are there, and gives their names. Undefined: this system has no Debian
 * packages, so the interoperability tests cannot run.
 */
export async function fetchPythonRq() {
  if (!hasDebianTools()) return undefined;
  mkdirSync(CACHE, { recursive: true });
  const python = findPython() ?? (await installPython());
  const versions = [];
  for (const release of RELEASES) {
    const path = find(release) ?? (await fetch(release));
    assertRuns(python, path, release);
    versions.push({ version: versionIn(path), path });
  }
  writeFileSync(join(CACHE, 'installed.json'), JSON.stringify({ python, versions }, null, 2));
  return `RQ ${versions.map(({ version }) => version).join(' and ')}`;
}

/** For a person, where there is nothing to fetch from. */
export function whyNot() {
  return 'no Debian package tools on this system, so the interoperability tests DO NOT RUN: run them on Debian or in a container of it';
}

function modulesIn(folder) {
  return join(folder, 'usr/lib/python3/dist-packages');
}

/** The folder for PYTHONPATH, when a right version is already unpacked. */
function find(release) {
  const path = modulesIn(join(CACHE, release.suite));
  return isRight(versionIn(path), release) ? path : undefined;
}

function isRight(found, { version, orNewer }) {
  if (found === undefined) return false;
  return orNewer ? isAtLeast(found, version) : found === version;
}

function versionIn(path) {
  const file = join(path, 'rq/version.py');
  return existsSync(file) ? /'([\d.]+)'/.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/** Everything happens in a folder of this process; the result appears under its name in one step. */
async function fetch(release) {
  const { suite, version, packages } = release;
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    await unpackDebianPackages(suite, packages, work);
    const found = versionIn(modulesIn(work));
    if (!isRight(found, release)) {
      throw new Error(`Debian ${suite} offers python3-rq ${found}, and the tests need ${version}`);
    }
    const target = join(CACHE, suite);
    rmSync(target, { recursive: true, force: true });
    renameSync(work, target);
    return modulesIn(target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Says what is missing, when a newer package needs more than those that are fetched. */
function assertRuns(python, path, { suite, modules }) {
  const end = spawnSync(python, ['-W', 'ignore', '-c', `import ${modules}`], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, PYTHONPATH: path, PYTHONNOUSERSITE: '1' },
  });
  if (end.status === 0) return;
  throw new Error(`the RQ of Debian ${suite} does not run on ${python}:\n${end.stderr}`);
}

/** The system's own Python first; never the shim of a version manager, which may start another one. */
function findPython() {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return folders
    .filter((folder) => folder !== '' && !folder.includes('shims'))
    .map((folder) => join(folder, 'python3'))
    .find((file) => isNewEnough(file));
}

function isNewEnough(python) {
  const { stdout } = spawnSync(python, ['--version'], { encoding: 'utf8' });
  const version = /\d+\.\d+/.exec(stdout ?? '')?.[0];
  return version !== undefined && isAtLeast(version, OLDEST_PYTHON);
}

async function installPython() {
  const isInstalled = await installSystemPackages('python3');
  const python = isInstalled ? findPython() : undefined;
  if (python !== undefined) return python;
  throw new Error(`no python3 ${OLDEST_PYTHON} or newer; install it: sudo apt-get install python3`);
}
