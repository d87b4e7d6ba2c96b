// `npm run check:cluster`: the tests of the engine in the cluster layout, on one server and on a cluster of one node (which
// refuses every script that touches two slots), and those of test/cluster. Words behind `--` go to jest.
import { spawnSync } from 'node:child_process';

/** Files about what only the shared layout has. */
const FILES = {
  'data-sets': 'several databases and prefixes',
  'half-changes.spec': 'rights by the names of the shared layout',
  'half-changes-dependents': 'the same',
  'rights.spec': 'the same',
  'shared-with-python': 'Python',
  'stored-data': 'Python reads what is stored',
};

/** Tests about what only the shared layout has. */
const TESTS = [
  // They open a store by themselves.
  'finds jobs again when others came and went while it looked',
  'gives up after commandTimeout, and at once where there can never be room',
  'an inspector of its own connects',
  // Python and its streams.
  'released by jobs that are unique, repeat, keep no result or come from Python',
  "comes in after Python's workers have taken jobs",
  'holds results in RQ’s stream when the worker is told so',
  // Channels that belong to no slot.
  'are two and one per consumed queue',
  'is not disturbed by what others publish',
  // Calls are counted; on the node each script travels as text.
  'are a few calls to Redis: four for 100 of them',
  'is one call for a page of 100',
];

const patterns = process.argv.slice(2);
const ignored = Object.keys(FILES).join('|');
const chosen = `^(?!.*(${TESTS.join('|')})).*$`;
const jest = ['run', '-s', 'jest', '--', '-w', '2'];
const layouts = [...jest, '--testPathIgnorePatterns', ignored, '-t', chosen, '--'];

const rounds = [
  {
    name: 'cluster layout on one server',
    words: layouts,
    env: { NESTJS_RQ_TEST_LAYOUT: 'cluster' },
    folder: 'test/integration',
  },
  {
    name: 'cluster of one node',
    words: layouts,
    env: { NESTJS_RQ_TEST_LAYOUT: 'node' },
    folder: 'test/integration',
  },
  { name: 'cluster of three nodes', words: jest, env: {}, folder: 'test/cluster' },
];
const started = performance.now();
for (const { name, words, env, folder } of rounds) {
  console.log(`== ${name}`);
  const paths = patterns.length > 0 ? patterns : [folder];
  const { status } = spawnSync('npm', [...words, ...paths], {
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  if (status !== 0) process.exit(status ?? 1);
}
console.log(`${Math.round((performance.now() - started) / 1000)} s`);
