#!/usr/bin/env node
/**
 * Fetches the Redis and Valkey servers that the tests run against beside the one of the system.
 * They come from Debian's packages, with the libraries that they need, and are unpacked into `.cache/servers`
 * of the checkout. Nothing is installed into the system.
 *
 *   node scripts/fetch-servers.mjs
 *
 * is a step of the check. It leaves `.cache/servers/installed.json` for the tests; a second call finds everything in
 * place. `NESTJS_RQ_TEST_SERVER=valkey-9.1 npm run jest -- test/integration` runs tests on one of them.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasDebianTools, unpackDebianPackages } from './debian-archive.mjs';
import { FETCHED_SERVERS, versionOf } from './redis-server.mjs';

/** What the servers are linked to, down to the C library: the system's own may be older. */
const LIBRARIES = [
  'libc6',
  'libgcc-s1',
  'libstdc++6',
  'libatomic1',
  'libjemalloc2',
  'liblua5.1-0',
  'liblzf1',
  'libssl3t64',
  'libsystemd0',
  'libcap2',
  'liblzma5',
  'liblz4-1',
  'libzstd1',
  'zlib1g',
  'libgcrypt20',
  'libgpg-error0',
  'lua-cjson',
  'lua-bitop',
];

/** The programs of a release of Debian; each is the server, called by its other name. */
const RELEASES = [
  { suite: 'trixie', programs: ['redis', 'valkey'], libraries: [...LIBRARIES, 'libhiredis1.1.0'] },
  { suite: 'forky', programs: ['valkey'], libraries: [...LIBRARIES, 'libhiredis1.1.0'] },
];

const CACHE = dirname(FETCHED_SERVERS);

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  console.log((await fetchServers()) ?? whyNot());
}

/** Makes sure that the servers are there, and gives their names. Undefined: this system has no Debian packages. */
export async function fetchServers() {
  if (!hasDebianTools()) return undefined;
  mkdirSync(CACHE, { recursive: true });
  const servers = [];
  for (const release of RELEASES) {
    if (!release.programs.every((program) => existsSync(wrapperOf(release, program)))) {
      await fetch(release);
    }
    for (const program of release.programs) servers.push(installed(release, program));
  }
  writeFileSync(FETCHED_SERVERS, JSON.stringify(servers, null, 2));
  return servers.map(({ name }) => name).join(', ');
}

/** For a person, where there is nothing to fetch from. */
export function whyNot() {
  return 'no Debian package tools on this system, so nothing runs on other servers: run the check on Debian or in a container of it';
}

function wrapperOf({ suite }, program) {
  return join(CACHE, suite, `${program}-server`);
}

/** Everything happens in a folder of this process; the result appears under its name in one step. */
async function fetch({ suite, programs, libraries }) {
  const work = mkdtempSync(join(CACHE, 'fetch-'));
  try {
    const packages = [...programs.map((program) => `${program}-tools`), ...libraries];
    await unpackDebianPackages(suite, packages, work);
    for (const program of programs) wrap(work, program);
    const target = join(CACHE, suite);
    rmSync(target, { recursive: true, force: true });
    renameSync(work, target);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** A program that starts the server with the libraries beside it, wherever the folder is. */
function wrap(folder, program) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const loader = files.find((file) => /(^|\/)ld-linux[^/]*\.so\.\d+$/.test(file));
  const server = files.find((file) => basename(file) === `${program}-check-rdb`);
  if (!loader || !server) throw new Error(`the packages of ${program} hold no such program`);
  const paths = new Set(files.filter((file) => /\.so(\.|$)/.test(file)).map(dirname));
  const libraries = [...paths].map((path) => `$here/${path}`).join(':');
  const file = join(folder, `${program}-server`);
  const text = `#!/bin/sh
# Made by scripts/fetch-servers.mjs.
here=$(cd "$(dirname "$0")" && pwd)
exec "$here/${loader}" --argv0 ${program}-server --library-path "${libraries}" "$here/${server}" "$@"
`;
  writeFileSync(file, text);
  chmodSync(file, 0o755);
}

/** Says what is missing, when a newer package needs more than those that are fetched. */
function installed(release, program) {
  const command = wrapperOf(release, program);
  const version = versionOf(command);
  if (version === undefined) {
    const { stderr } = spawnSync(command, ['--version'], { encoding: 'utf8' });
    throw new Error(`the ${program}-server of Debian ${release.suite} does not run:\n${stderr}`);
  }
  const name = `${program}-${version.split('.').slice(0, 2).join('.')}`;
  return { name, version, command: relative(CACHE, command) };
}
