// `npm run check:cluster`: the tests of the engine with the names of a cluster, on one server and on a cluster of three
// masters (whose nodes refuse every script that touches two slots), and those of test/cluster.
//
//   --nodes 3    on three masters only; 1: on a cluster of one node; 0: on one server
//   --short      on three masters, tests that run most of the scripts: a part of .ci/run
//
// Other words are paths. NESTJS_RQ_TEST_SERVER=valkey-9.1 runs it on another server.
import { parseArgs } from 'node:util';
import { CommandFailed, endAllOnSignals, runNpm } from './child-processes.mjs';
import { root } from './dependencies.mjs';

/**
 * What no cluster can have: Python's workers know RQ's names alone. Further tests say themselves that they are about
 * Python, several databases, or a replica without a cluster (`itInSharedLayout`, `itOnOneServer`).
 */
const LEFT_OUT = 'integration/shared-with-python';

/** Tests that run most of the scripts. */
const SHORT = [
  'canceled',
  'dependencies-slices',
  'flow-lanes',
  'groups.spec',
  'inspector',
  'job-signals',
  'queue-management',
  'results',
  'rights',
  'schedules-in-code',
  'store-conformance',
].map((name) => `test/integration/${name}`);

const LAYOUTS = { 0: 'cluster', 1: 'node', 3: 'nodes' };
/** Seconds, of each; on a machine that has nothing else to do they take a third of it. */
const TIME_LIMIT = 30 * 60;

const { values, positionals } = parseArgs({
  options: { nodes: { type: 'string' }, short: { type: 'boolean' } },
  allowPositionals: true,
});
if (values.nodes !== undefined && !(values.nodes in LAYOUTS)) {
  console.error(`--nodes must be ${Object.keys(LAYOUTS).join(', ')}`);
  process.exit(1);
}
const interrupted = endAllOnSignals({ grace: 10 });
const started = performance.now();
for (const { name, layout, files } of rounds()) {
  if (interrupted()) break;
  console.log(`== ${name}`);
  await run(name, layout, files);
}
console.log(`${Math.round((performance.now() - started) / 1000)} s`);

function rounds() {
  const given = positionals.length > 0 ? positionals : undefined;
  const of = (nodes, name, files) => ({ name, layout: LAYOUTS[nodes], files: given ?? files });
  const all = ['test/integration'];
  if (values.short) return [of(3, 'three masters, most of the scripts', SHORT)];
  if (values.nodes !== undefined) return [of(values.nodes, `--nodes ${values.nodes}`, all)];
  return [
    of(0, 'names of a cluster, on one server', all),
    of(3, 'three masters', all),
    ...(given ? [] : [{ name: 'what only clusters have', layout: '', files: ['test/cluster'] }]),
  ];
}

/** Others go on when it fails. */
async function run(name, layout, files) {
  try {
    const words = ['--ci', '--testPathIgnorePatterns', LEFT_OUT, '--', ...files];
    await runNpm(['run', '--silent', 'jest', '--', ...words], {
      cwd: root,
      what: `the tests: ${name}`,
      show: true,
      env: { NESTJS_RQ_TEST_LAYOUT: layout },
      timeLimit: TIME_LIMIT,
    });
  } catch (error) {
    if (!(error instanceof CommandFailed)) throw error;
    console.log(`FAILED: ${error.problem}`);
    process.exitCode = 1;
  }
}
