// `npm run faults`: every case of test/fault/rounds for a long time, and docs/reliability.md with what came of it. A case
// that fails, or is interrupted, is named there and has no row.
//   --minutes N   of all cases together; default 60
//   --only TEXT   only the cases with this text in their names, or with one of several: 'address|Sentinel'; then nothing is
//                 written
//   --repeat      with --only: their rows are put in the place of those that are there
//   --from FILE   no run: the report of an earlier one, which is what FAULTS.report of rounds.spec.ts has written
//   --seed N      all that is random; default: another one each time
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endAllOnSignals, runNpm } from './child-processes.mjs';
import { root } from './dependencies.mjs';
import { fetchedServers, findRedisServer } from './redis-server.mjs';

const PAGE = join(root, 'docs/reliability.md');
const BEGIN = '<!-- written by `npm run faults` -->';
const END = '<!-- end of what is written -->';

const TABLE = [
  '| Fault, again and again under load | Jobs | Faults | Lost | Run again | Told falsely | Longest wait of a producer | Served again after an election |',
  '|---|--:|--:|--:|--:|--:|--:|--:|',
];

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    only: { type: 'string' },
    repeat: { type: 'boolean', default: false },
    from: { type: 'string' },
    seed: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');

const interrupted = endAllOnSignals({ grace: 30 });
const folder = mkdtempSync(join(tmpdir(), 'nestjs-rq-faults-'));
const report = values.from ?? join(folder, 'report.json');
// Also after Ctrl-C what has run is told.
process.once('exit', () => {
  if (interrupted()) tell();
  rmSync(folder, { recursive: true, force: true });
});

if (values.from === undefined) await runRounds();
if (!interrupted()) tell();

async function runRounds() {
  await runNpm(['run', '--silent', 'build'], { cwd: root, what: 'npm run build' });
  try {
    await runNpm(['run', '--silent', 'jest', '--', '--ci', 'test/fault/rounds.spec'], {
      cwd: root,
      what: 'the rounds',
      show: true,
      env: {
        FAULTS: JSON.stringify({ minutes, only: values.only, report }),
        ...(values.seed === undefined ? {} : { FAULTS_SEED: values.seed }),
      },
      timeLimit: minutes * 60 * 2 + 3600,
    });
  } catch (error) {
    console.log(`FAILED: ${error.problem ?? error.message}`);
    process.exitCode = 1;
  }
}

/** Prints what has come of it, and writes it down. */
function tell() {
  if (!existsSync(report)) return;
  const { seed, names, ...told } = JSON.parse(readFileSync(report, 'utf8'));
  const isMeant = (name) => (values.only ?? '').split('|').some((text) => name.includes(text));
  const results = told.results.filter(({ name }) => isMeant(name));
  const failed = told.failed.filter(isMeant);
  const rows = summed(results.filter(({ name }) => !failed.includes(name)));
  console.log(tableOf(rows));
  const took = Math.round(results.reduce((sum, { seconds }) => sum + seconds, 0) / 60);
  const where = `nestjs-rq ${version()}, ${serverName()}, Node ${process.versions.node}, ${cpus().length} processors`;
  const head = `${took} minutes on ${new Date().toISOString().slice(0, 10)}, ${where}, seed ${seed}`;
  const before = values.only === undefined ? { heads: [], rows: [] } : onPage();
  const isDone = ({ name }) => !rows.some((row) => row.name === name);
  const heads = before.heads.filter((line) => !rows.some(({ name }) => line === failedLine(name)));
  heads.push(
    values.only === undefined
      ? `${head}.`
      : `By themselves: ${rows.map(({ name }) => `“${name}”`).join(', ')}: ${head}.`,
  );
  for (const name of failed) {
    console.log(failedLine(name));
    if (!heads.includes(failedLine(name))) heads.push(failedLine(name));
  }
  if (values.only !== undefined && !values.repeat) return;
  const all = [...before.rows.filter(isDone), ...rows];
  const sorted = names.flatMap((name) => all.filter((row) => row.name === name));
  writePage(`${heads.join('\n\n')}\n\n${tableOf(sorted)}`);
}

function failedLine(name) {
  return `Failed or interrupted, and without a row: “${name}”.`;
}

/** Several rounds of one case are one row. */
function summed(all) {
  const byName = new Map();
  for (const { violations: _, seconds: __, ...result } of all) {
    const row = byName.get(result.name);
    if (!row) byName.set(result.name, { ...result });
    else {
      for (const key of ['jobs', 'faults', 'lost', 'again', 'toldFalsely']) row[key] += result[key];
      row.outage = Math.max(row.outage, result.outage);
      row.servedAgain = Math.max(row.servedAgain ?? 0, result.servedAgain ?? 0) || undefined;
    }
  }
  return [...byName.values()];
}

function tableOf(rows) {
  return [...TABLE, ...rows.map(({ name, line, ...row }) => line ?? lineOf(name, row))].join('\n');
}

function lineOf(name, { jobs, faults, lost, again, toldFalsely, outage, servedAgain }) {
  const numbers = [jobs, faults, lost, again, toldFalsely].map((one) =>
    one.toLocaleString('en-US'),
  );
  return `| ${name} | ${numbers.join(' | ')} | ${outage} s | ${servedAgain === undefined ? '–' : `${servedAgain} s`} |`;
}

/** What an earlier run has written. */
function onPage() {
  const [, written = ''] = readFileSync(PAGE, 'utf8').split(BEGIN);
  const lines = (written.split(END)[0] ?? '').split('\n').filter((line) => line !== '');
  const ofTable = lines.filter((line) => line.startsWith('|'));
  return {
    heads: lines.filter((line) => !line.startsWith('|')),
    rows: ofTable
      .slice(TABLE.length)
      .map((line) => ({ name: line.split(' | ')[0].slice(2), line })),
  };
}

function writePage(text) {
  const page = readFileSync(PAGE, 'utf8');
  const [before, rest = ''] = page.split(BEGIN);
  const after = rest.split(END)[1] ?? '';
  writeFileSync(PAGE, `${before}${BEGIN}\n\n${text}\n\n${END}${after}`);
}

function serverName() {
  const name = process.env.NESTJS_RQ_TEST_SERVER;
  const fetched = fetchedServers().find((server) => server.name === name);
  if (fetched) return `${fetched.name.split('-')[0]} ${fetched.version}`;
  const found = findRedisServer();
  return found ? `${found.command.split('-')[0]} ${found.version}` : 'no server';
}

function version() {
  return JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;
}
