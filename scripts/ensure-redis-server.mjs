// The tests start real Redis servers of their own. On Debian and Ubuntu a missing one is installed,
// if that is possible without asking for a password; elsewhere the check says what to do.
import { spawnSync } from 'node:child_process';
import { run } from './child-processes.mjs';
import { findRedisServer, isAtLeast } from './redis-server.mjs';

const MINIMUM = '6.2';

/** Makes sure that a Redis server program is on PATH; gives its name and version. */
export async function ensureRedisServer() {
  const found = findRedisServer() ?? (await installWithApt());
  if (found === undefined) throw new Error(`redis-server is not on PATH. ${whatToDo()}`);
  if (!isAtLeast(found.version, MINIMUM)) {
    throw new Error(
      `${found.command} ${found.version} is too old: the tests need ${MINIMUM} or newer. ${whatToDo()}`,
    );
  }
  return `${found.command} ${found.version}`;
}

async function installWithApt() {
  const prefix = rootPrefix();
  if (prefix === undefined || !succeeds('apt-get', ['--version'])) return undefined;
  process.stdout.write('installing it with apt-get ... ');
  const [command, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-qq'];
  await run(command, [...args, 'update'], { what: 'apt-get update' });
  await run(command, [...args, 'install', '-y', '--no-install-recommends', 'redis-server'], {
    what: 'apt-get install redis-server',
  });
  return findRedisServer();
}

/** The words to put before a command to run it as root, or undefined if that is not possible. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function whatToDo() {
  const commands = {
    linux: 'sudo apt-get install redis-server (or your distribution’s package redis or valkey)',
    darwin: 'brew install redis',
    win32: 'use WSL and install redis-server there: Redis does not run on Windows itself',
  };
  const command = commands[process.platform] ?? 'install Redis from your system’s packages';
  return `Do this, then run the check again: ${command}.`;
}
