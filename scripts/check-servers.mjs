// `npm run check:servers`: integration, fault and cluster tests on each server that was fetched beside the system's own, on
// which the check runs them. A round takes those in which the servers' own behaviour counts: scripts, rights, memory,
// restarts, failovers. `--all` runs every one of these folders, `--server valkey-9.1` runs them on one server only;
// with `--built`, dist/ is taken as it is.
import { parseArgs } from 'node:util';
import { CommandFailed, endAllOnSignals, runNpm } from './child-processes.mjs';
import { root } from './dependencies.mjs';
import { fetchServers, whyNot } from './fetch-servers.mjs';
import { fetchedServers } from './redis-server.mjs';

/** Seconds for one server. */
const TIME_LIMIT = { round: 6 * 60, all: 40 * 60 };

const ROUND = [
  'cluster',
  'integration/bulk',
  'integration/callbacks',
  'integration/control',
  'integration/dependencies',
  'integration/events',
  'integration/fence',
  'integration/flow-',
  'integration/groups',
  'integration/half-changes',
  'integration/levels',
  'integration/lists',
  'integration/promote',
  'integration/results',
  'integration/rights',
  'integration/schedules.spec',
  'integration/store-conformance',
  'integration/unique',
  'fault/durability',
  'fault/emptied-redis',
  'fault/lost-tail',
  'fault/redis-refuses',
  'fault/redis-restart',
  'fault/refusals-under-load',
  'fault/sentinel',
];

const { values } = parseArgs({
  options: {
    all: { type: 'boolean' },
    built: { type: 'boolean' },
    server: { type: 'string' },
  },
});
const interrupted = endAllOnSignals({ grace: 10 });
if ((await fetchServers()) === undefined) {
  console.log(whyNot());
  process.exitCode = process.env.CI ? 1 : 0;
} else {
  const wanted = values.server;
  const servers = fetchedServers().filter(({ name }) => wanted === undefined || name === wanted);
  if (servers.length === 0) {
    const known = fetchedServers().map(({ name }) => name);
    console.log(`There is no server "${wanted}". Known: ${known.join(', ')}.`);
    process.exitCode = 1;
  }
  // Worker processes of the tests take it from dist/.
  if (!values.built) {
    await runNpm(['run', '--silent', 'build'], { cwd: root, what: 'npm run build' });
  }
  for (const server of servers) {
    if (interrupted()) break;
    await runTests(server);
  }
}

/** Others go on when it fails: what is wrong on one may be wrong on the next, too. */
async function runTests({ name, version }) {
  const begun = Date.now();
  console.log(`${name} (${version}):`);
  const files = values.all
    ? ['test/integration', 'test/fault', 'test/cluster']
    : ROUND.map((one) => `test/${one}`);
  try {
    await runNpm(['run', '--silent', 'jest', '--', '--ci', ...files], {
      cwd: root,
      what: `the tests on ${name}`,
      show: true,
      env: { NESTJS_RQ_TEST_SERVER: name },
      timeLimit: values.all ? TIME_LIMIT.all : TIME_LIMIT.round,
    });
    console.log(`${name}: passed, in ${((Date.now() - begun) / 1000).toFixed(0)} s.\n`);
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.log(`${name}: FAILED: ${error.problem}`);
    process.exitCode = 1;
  }
}
