// Installs what the check needs from the system's own packages, on Debian and Ubuntu.
// It asks for no password, and waits while somebody else uses the package tool.
import { spawnSync } from 'node:child_process';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandFailed, run } from './child-processes.mjs';

/** Seconds to wait for others that use the package tool: an upgrade by night takes its time. */
const PATIENCE = 300;

/** What apt-get says when another process holds one of its locks. */
const IN_USE = /could not get lock|unable to (acquire|lock)/i;

/**
 * Installs packages: at once when their lists are there, else after fetching the lists. Gives false when
 * that is not possible here: no apt-get, or neither root nor a sudo without password. Throws CommandFailed.
 */
export async function installSystemPackages(...packages) {
  const prefix = rootPrefix();
  if (prefix === undefined || !succeeds('apt-get', ['--version'])) return false;
  const install = ['install', '--yes', '--no-install-recommends', ...packages];
  try {
    await aptGet(prefix, install);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    // A list that cannot be fetched may be of no use to us: whether the others will do, the install says.
    const update = await aptGet(prefix, ['update']).catch((problem) => problem);
    await aptGet(prefix, install).catch((problem) => {
      throw update instanceof Error ? new Error(`${update.message}\n${problem.message}`) : problem;
    });
  }
  return true;
}

async function aptGet(prefix, args) {
  const [command, ...rest] = [
    ...prefix,
    'env',
    'DEBIAN_FRONTEND=noninteractive',
    'apt-get',
    '--quiet=2',
    // dpkg's lock: apt-get itself waits for it. It does not wait for its other locks.
    `-oDPkg::Lock::Timeout=${PATIENCE}`,
    ...args,
  ];
  const deadline = Date.now() + PATIENCE * 1000;
  for (;;) {
    try {
      return await run(command, rest, { what: `apt-get ${args[0]}` });
    } catch (error) {
      if (!IN_USE.test(error.message) || Date.now() > deadline) throw error;
      await pause(1000);
    }
  }
}

/** The words to put before a command to run it as root, or undefined if that is not possible. */
function rootPrefix() {
  if (process.getuid?.() === 0) return [];
  return succeeds('sudo', ['-n', 'true']) ? ['sudo', '-n'] : undefined;
}

function succeeds(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}
