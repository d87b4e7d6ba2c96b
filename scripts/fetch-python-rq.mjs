#!/usr/bin/env node
/**
 * A real Python RQ to test against. Fetches Debian's `python3-rq` 2.3.3 (of trixie) into `.cache/python-rq` of the
 * checkout and makes sure that a Python with `redis` and `click` is there. Nothing of the system's own package
 * lists is touched, apart from installing what Python lacks.
 *
 *   node scripts/fetch-python-rq.mjs
 *
 * prints one line of JSON: `{"python": "/usr/bin/python3", "path": ".../dist-packages", "version": "2.3.3"}`.
 * Exit codes: 0 there, 1 failed, 3 this system has no Debian package tools (the tests then skip themselves, but
 * never in CI). The second call finds everything in place and takes a fraction of a second.
 *
 * The mirror is the one that the system's own Debian source names; `DEBIAN_MIRROR=<url>` overrides it.
 */
import { spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const VERSION = '2.3.3';
const SUITE = 'trixie';
const NEEDED_MODULES = 'redis, click';
const NEEDED_PACKAGES = ['python3', 'python3-redis', 'python3-click'];
const CACHE = fileURLToPath(new URL('../.cache/python-rq', import.meta.url));
const UNPACKED = join(CACHE, VERSION);
const MODULES = join(UNPACKED, 'usr/lib/python3/dist-packages');
const EXIT_NO_DEBIAN_TOOLS = 3;

class NoDebianTools extends Error {}

try {
  const path = findRq() ?? fetchRq();
  const python = findPython() ?? installPython();
  console.log(JSON.stringify({ python, path, version: VERSION }));
} catch (error) {
  if (!(error instanceof NoDebianTools)) {
    console.error(`fetch-python-rq: ${error.message}`);
    process.exit(1);
  }
  console.error(
    [
      '*'.repeat(78),
      `* ${error.message}`,
      '* Python RQ cannot be fetched here: THE INTEROPERABILITY TESTS DO NOT RUN.',
      '* Run them on Debian, or in a container of it.',
      '*'.repeat(78),
    ].join('\n'),
  );
  process.exit(EXIT_NO_DEBIAN_TOOLS);
}

/** The folder for PYTHONPATH, when the right version is already unpacked. */
function findRq() {
  const versionFile = join(MODULES, 'rq/version.py');
  if (!existsSync(versionFile)) return undefined;
  return readFileSync(versionFile, 'utf8').includes(`'${VERSION}'`) ? MODULES : undefined;
}

/** Everything happens in a folder of this process; the result appears under its name in one step. */
function fetchRq() {
  requireDebianTools();
  mkdirSync(CACHE, { recursive: true });
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const sourceList = join(work, 'sources.list');
    for (const folder of ['lists/partial', 'cache/archives/partial']) {
      mkdirSync(join(work, folder), { recursive: true });
    }
    writeFileSync(sourceList, `${sourceLine()}\n`);
    const own = [
      `-oDir::Etc::SourceList=${sourceList}`,
      '-oDir::Etc::SourceParts=-',
      `-oDir::State::Lists=${join(work, 'lists')}`,
      `-oDir::Cache=${join(work, 'cache')}`,
      '-oAcquire::Languages=none',
      '-oAcquire::Retries=3',
      // The download user of apt may not write into a checkout.
      '-oAPT::Sandbox::User=root',
    ];
    run('apt-get', [...own, '--quiet=2', 'update'], work);
    run('apt-get', [...own, '--quiet=2', 'download', 'python3-rq'], work);
    const archive = readdirSync(work).find((name) => name.endsWith('.deb'));
    if (archive === undefined) throw new Error('apt-get downloaded no package');
    run('dpkg-deb', ['-x', join(work, archive), join(work, 'unpacked')], work);
    if (findRq() === undefined) {
      rmSync(UNPACKED, { recursive: true, force: true });
      renameSync(join(work, 'unpacked'), UNPACKED);
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const path = findRq();
  if (path === undefined) {
    throw new Error(`Debian ${SUITE} no longer offers python3-rq ${VERSION}`);
  }
  return path;
}

function requireDebianTools() {
  for (const tool of ['apt-get', 'dpkg-deb']) {
    if (!isOnPath(tool)) throw new NoDebianTools(`No ${tool} on this system.`);
  }
}

/** One line of a source list for the suite, at the mirror and with the key ring the system itself trusts. */
function sourceLine() {
  const { mirror, keyring } = systemSource();
  const options = keyring === undefined ? '' : `[signed-by=${keyring}] `;
  return `deb ${options}${mirror} ${SUITE} main`;
}

function systemSource() {
  const known = [...deb822Sources(), ...oneLineSources()];
  const own = known.find((source) => /\/debian\/?$/.test(source.mirror));
  const mirror = process.env.DEBIAN_MIRROR ?? own?.mirror;
  if (mirror === undefined) {
    throw new Error(
      "the system's package sources name no Debian mirror; set DEBIAN_MIRROR to the address of one",
    );
  }
  return { mirror, keyring: own?.keyring };
}

/** Sources in the newer form, `Key: value` paragraphs in `*.sources`. */
function deb822Sources() {
  return sourceFiles('.sources')
    .flatMap((text) => text.replace(/^#.*\n/gm, '').split(/\n\s*\n/))
    .map((paragraph) => ({
      mirror: /^URIs:\s*(\S+)/im.exec(paragraph)?.[1],
      keyring: /^Signed-By:\s*(\/\S+)/im.exec(paragraph)?.[1],
    }))
    .filter((source) => source.mirror !== undefined);
}

/** Sources in the older form, `deb [options] address suite component` lines. */
function oneLineSources() {
  return sourceFiles('.list').flatMap((text) =>
    [...text.matchAll(/^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)/gm)].map(([, options, mirror]) => ({
      mirror,
      keyring: /signed-by=(\/\S+)/.exec(options ?? '')?.[1],
    })),
  );
}

function sourceFiles(ending) {
  const folder = '/etc/apt/sources.list.d';
  const parts = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  return ['/etc/apt/sources.list', ...parts]
    .filter((file) => file.endsWith(ending) && existsSync(file))
    .map((file) => readFileSync(file, 'utf8'));
}

/**
 * A Python that can import what RQ needs: the system's first, since that is the one Debian's packages serve; never
 * the shim of a version manager, which may start another Python in another folder.
 */
function findPython() {
  const folders = ['/usr/bin', ...(process.env.PATH ?? '').split(delimiter)];
  return folders
    .filter((folder) => folder !== '' && !folder.includes('shims'))
    .map((folder) => join(folder, 'python3'))
    .find((file) => isExecutable(file) && canImport(file));
}

function canImport(python) {
  const check = spawnSync(python, ['-c', `import ${NEEDED_MODULES}`], { stdio: 'ignore' });
  return check.status === 0;
}

function installPython() {
  requireDebianTools();
  const asRoot = process.getuid?.() === 0 ? [] : ['sudo', '--non-interactive'];
  if (asRoot.length > 0 && !isOnPath('sudo')) {
    throw new Error(
      `Python lacks packages; install them: apt-get install ${NEEDED_PACKAGES.join(' ')}`,
    );
  }
  const apt = (...args) => {
    const [command, ...rest] = [...asRoot, 'apt-get', '--quiet=2', ...args];
    run(command, rest, CACHE);
  };
  apt('update');
  apt('install', '--yes', '--no-install-recommends', ...NEEDED_PACKAGES);
  const python = findPython();
  if (python === undefined) throw new Error(`no python3 can import ${NEEDED_MODULES}`);
  return python;
}

function run(command, args, cwd) {
  const result = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (result.error !== undefined) throw result.error;
  if (result.status !== 0) {
    throw new Error(`${command} ${args.at(-1)} failed (${result.status}):\n${result.stderr}`);
  }
}

function isOnPath(tool) {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .some((folder) => isExecutable(join(folder, tool)));
}

function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
