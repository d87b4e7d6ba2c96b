// The tests of the dashboard's page drive a real Chromium. On Debian and Ubuntu a missing one is installed, if that is
// possible without asking for a password; elsewhere those tests are skipped, loudly. A build machine has to have one.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { installSystemPackages } from './system-packages.mjs';

/** Where a Chromium may be; test/dashboard/support/browser.ts looks at the same places. */
const PLACES = [
  process.env.RQ_CHROMIUM,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
];

/** Makes sure that there is a Chromium; gives its version, or why the tests of the page are skipped. */
export async function ensureChromium() {
  let found = find();
  if (found === undefined) {
    const why = await installSystemPackages('chromium').then(
      (isInstalled) => (isInstalled ? undefined : 'it cannot be installed here without a password'),
      (error) => error.message,
    );
    found = find();
    if (found === undefined) {
      const problem = `there is no Chromium (${why ?? 'the package has none'}): install it, or set RQ_CHROMIUM`;
      if (process.env.CI) throw new Error(problem);
      return `!!! ${problem}; THE TESTS OF THE PAGE ARE SKIPPED !!!`;
    }
  }
  const { stdout } = spawnSync(found, ['--version'], { encoding: 'utf8' });
  return stdout?.trim().split(' built')[0] || found;
}

function find() {
  return PLACES.find((place) => place !== undefined && existsSync(place));
}
