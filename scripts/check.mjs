// `npm run check`: all that a change has to pass, the same for a newcomer and on a build machine.
// What the tests need is installed first, in two lines side by side; `npm run check -- --prepare` ends there. Then one step
// follows the other; with `--built`, dist/ is taken as it is. The first that fails ends the check and is named. The last line
// is always jest's own count, `N passed, M failed`, so that a machine can tell that tests ran.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { CommandFailed, endAllOnSignals, run, runNpm } from './child-processes.mjs';
import { dependenciesAreStale, installDependencies, root } from './dependencies.mjs';
import { ensurePromtool } from './ensure-promtool.mjs';
import { ensureChromium } from './ensure-chromium.mjs';
import { ensureRedisServer } from './ensure-redis-server.mjs';
import { fetchNodeVersions } from './fetch-node-versions.mjs';
import { fetchPythonRq, whyNot } from './fetch-python-rq.mjs';
import { fetchServers, whyNot as whyNoServers } from './fetch-servers.mjs';

/** Seconds. Tests that hang must not occupy a build machine for hours. */
const TEST_TIME_LIMIT = 25 * 60;

/** How many test files. */
const AT_A_TIME = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).jest.maxWorkers;

const resultFolder = mkdtempSync(join(tmpdir(), 'nestjs-rq-check-'));
const resultFile = join(resultFolder, 'jest.json');
process.once('exit', () => rmSync(resultFolder, { recursive: true, force: true }));
const interrupted = endAllOnSignals({ grace: 10 });

const isBuilt = process.argv.includes('--built');
/** Two lines of steps that go on side by side: what npm installs, and what the system's packages bring. */
const preparation = [
  [
    { name: 'packages', step: packagesStep },
    { name: 'Node versions', step: fetchNodeVersions },
  ],
  [
    { name: 'redis-server', step: ensureRedisServer },
    { name: 'promtool', step: ensurePromtool },
    { name: 'Chromium', step: ensureChromium },
    { name: 'Python RQ', step: pythonStep },
    { name: 'servers', step: serversStep },
  ],
];
const tests = [
  { name: 'scripts', step: compileScripts },
  {
    name: isBuilt ? 'format, lint, types' : 'format, lint, types, build',
    step: sideBySide('format:check', 'lint', 'typecheck', ...(isBuilt ? [] : ['build'])),
  },
  { name: 'tests', step: runTests },
  { name: 'package', step: npmScript('check:package') },
];

const isPreparing = process.argv.includes('--prepare');
const names = [...preparation.flat(), ...(isPreparing ? [] : tests)].map(({ name }) => name);
const begun = Date.now();
process.exitCode = (await passes()) ? 0 : 1;
if (!interrupted()) {
  const passed = isPreparing ? 'All that the tests need is there' : 'The check passed';
  console.log(
    process.exitCode === 0 ? `\n${passed}, in ${seconds(begun)}.` : '\nThe check FAILED.',
  );
  const count = readCount();
  if (count !== undefined) {
    const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
    console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
  }
}

async function passes() {
  const prepared = await Promise.all(preparation.map((line) => allPass(line)));
  return prepared.every(Boolean) && (isPreparing || allPass(tests));
}

/** Runs steps one after the other, and tells of each when it ends. */
async function allPass(steps) {
  for (const { name, step } of steps) {
    const number = `[${names.indexOf(name) + 1}/${names.length}]`;
    const started = Date.now();
    try {
      const remark = await step();
      console.log(`${number} ${name} ... ${remark ? `${remark}, ` : ''}${seconds(started)}`);
    } catch (error) {
      if (interrupted()) return false;
      const isOfCommand = error instanceof CommandFailed;
      if (isOfCommand) console.log(`\n${error.output}`);
      const problem = isOfCommand ? error.problem : error.message;
      console.log(`\nFAILED at "${name}" after ${seconds(started)}: ${problem}`);
      return false;
    }
  }
  return true;
}

async function packagesStep() {
  if (!dependenciesAreStale()) return 'already installed';
  await installDependencies();
  return 'npm ci';
}

async function pythonStep() {
  const remark = await fetchPythonRq();
  if (remark === undefined && process.env.CI) throw new Error(whyNot());
  return remark ?? whyNot();
}

async function serversStep() {
  const remark = await fetchServers();
  if (remark === undefined && process.env.CI) throw new Error(whyNoServers());
  return remark ?? whyNoServers();
}

/** What the next steps need and would each make for themselves. */
async function compileScripts() {
  await run(process.execPath, ['scripts/compile.mjs'], { cwd: root, what: 'scripts/compile.mjs' });
}

/** On two processors they take half as long so. Of several that fail, the first is told. */
function sideBySide(...scripts) {
  return async () => {
    const ends = await Promise.allSettled(scripts.map((script) => npmScript(script)()));
    const failed = ends.find(({ status }) => status === 'rejected');
    if (failed) throw failed.reason;
  };
}

function npmScript(script) {
  return async () => {
    await runNpm(['run', '--silent', script], { cwd: root, what: `npm run ${script}` });
  };
}

async function runTests() {
  console.log();
  const args = ['run', '--silent', 'jest', '--', '--ci', '--json', `--outputFile=${resultFile}`];
  try {
    await runNpm(args, { cwd: root, what: 'npm run jest', show: true, timeLimit: TEST_TIME_LIMIT });
  } finally {
    // Also when tests have failed: slow files may be why.
    for (const line of readCount()?.times ?? []) console.log(line);
  }
  const count = readCount();
  if (count === undefined || count.passed === 0) throw new Error('no test has run');
  return `tests: ${count.passed} passed`;
}

/** Jest's numbers; a test file that could not be loaded counts as one failed test. */
function readCount() {
  try {
    const result = JSON.parse(readFileSync(resultFile, 'utf8'));
    return {
      times: timesOf(result.testResults.map(timeOfFile)),
      passed: result.numPassedTests,
      failed: result.numFailedTests + result.numRuntimeErrorTestSuites,
      skipped: result.numPendingTests + result.numTodoTests,
    };
  } catch {
    return undefined; // The tests have not been reached, or were ended before their report.
  }
}

function timeOfFile({ name, startTime, endTime }) {
  const file = relative(join(root, 'test'), name).split(sep).join('/');
  return [file, (endTime - startTime) / 1000];
}

/** 'interop 118, unit 12, ...': what the files of each folder of test/ took; and the slowest of them. */
function timesOf(files) {
  const folders = new Map();
  for (const [file, seconds] of files) {
    const folder = file.split('/')[0];
    folders.set(folder, (folders.get(folder) ?? 0) + seconds);
  }
  const listed = (times) => {
    const slowestFirst = times.toSorted(([, a], [, b]) => b - a).slice(0, 10);
    return slowestFirst.map(([name, seconds]) => `${name} ${seconds.toFixed(0)}`).join(', ');
  };
  return [
    `seconds by folder (${AT_A_TIME} files run at a time): ${listed([...folders])}`,
    `slowest files: ${listed(files)}`,
  ];
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}
