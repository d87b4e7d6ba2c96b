// The tests start real Redis servers of their own. On Debian and Ubuntu a missing one is installed,
// if that is possible without asking for a password; elsewhere the check says what to do.
import { findRedisServer, isAtLeast } from './redis-server.mjs';
import { installSystemPackages } from './system-packages.mjs';

const MINIMUM = '6.2';

/** Makes sure that a Redis server program is on PATH; gives its name and version. */
export async function ensureRedisServer() {
  const found = findRedisServer() ?? (await install());
  if (found === undefined) throw new Error(`redis-server is not on PATH. ${whatToDo()}`);
  if (!isAtLeast(found.version, MINIMUM)) {
    throw new Error(
      `${found.command} ${found.version} is too old: the tests need ${MINIMUM} or newer. ${whatToDo()}`,
    );
  }
  return `${found.command} ${found.version}`;
}

async function install() {
  return (await installSystemPackages('redis-server')) ? findRedisServer() : undefined;
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
