// Which servers there are to test against beside the system's own. A step of the check fetches them.
import { spawnSync } from 'node:child_process';
import { fetchedServers } from '../../scripts/redis-server.mjs';

/** `describe` once for each server. Where there can be none, it skips, loudly, but never in CI. */
export function describeServers(name: string, tests: (server: string) => void): void {
  const servers = fetchedServers();
  for (const server of servers) describe(`${name} (${server.name})`, () => tests(server.name));
  if (servers.length > 0) return;
  const problem = 'There are no other servers to test against';
  if (process.env['CI'] || spawnSync('apt-get', ['--version']).status === 0) {
    throw new Error(`${problem}. Fetch them: node scripts/fetch-servers.mjs`);
  }
  process.stderr.write(`${problem} on this system: TESTS OF OTHER SERVERS DO NOT RUN.\n`);
  describe.skip(name, () => tests(''));
}
