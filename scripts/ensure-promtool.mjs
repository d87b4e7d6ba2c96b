// The rules that the package ships for Prometheus are checked by its own promtool. On Debian and Ubuntu a missing one is
// installed, if that is possible without asking for a password; elsewhere the tests of the rules are left out, loudly.
import { spawnSync } from 'node:child_process';
import { installSystemPackages } from './system-packages.mjs';

export function hasPromtool() {
  return spawnSync('promtool', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Gives a remark for the check. */
export async function ensurePromtool() {
  if (hasPromtool()) return 'there';
  await installSystemPackages('prometheus').catch(() => undefined);
  if (hasPromtool()) return 'installed';
  const problem =
    'promtool is not on PATH, and cannot be installed: the rules for Prometheus are NOT CHECKED';
  if (process.env.CI) throw new Error(problem);
  return problem;
}
