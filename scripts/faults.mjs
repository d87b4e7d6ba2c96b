// `npm run faults`: every case of test/fault/rounds for a long time, and docs/reliability.md with what came of it.
//   --minutes N   of all cases together; default 60
//   --only TEXT   only the cases with this text in their names; then nothing is written
//   --seed N      all that is random; default: another one each time
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { endAllOnSignals, runNpm } from './child-processes.mjs';
import { root } from './dependencies.mjs';
import { fetchedServers, findRedisServer } from './redis-server.mjs';

const PAGE = join(root, 'docs/reliability.md');
const BEGIN = '<!-- written by `npm run faults` -->';
const END = '<!-- end of what is written -->';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    only: { type: 'string' },
    seed: { type: 'string' },
  },
});
const minutes = Number(values.minutes);
if (!(minutes > 0)) throw new Error('--minutes must be a number above 0');

endAllOnSignals({ grace: 10 });
const folder = mkdtempSync(join(tmpdir(), 'nestjs-rq-faults-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const report = join(folder, 'report.json');

await runNpm(['run', '--silent', 'build'], { cwd: root, what: 'npm run build' });
const begun = Date.now();
let failure;
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
  failure = error;
}
const { seed, results } = JSON.parse(readFileSync(report, 'utf8'));
const rows = summed(results);
const text = tableOf(rows);
console.log(text);
if (failure) {
  console.log(`FAILED (seed ${seed}): ${failure.problem ?? failure.message}`);
  process.exitCode = 1;
} else if (values.only === undefined) {
  const server = serverName();
  const took = Math.round((Date.now() - begun) / 60_000);
  const head = `${took} minutes on ${new Date().toISOString().slice(0, 10)}: nestjs-rq ${version()}, ${server}, Node ${process.versions.node}, ${cpus().length} processors, seed ${seed}.`;
  writePage(`${head}\n\n${text}`);
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
    }
  }
  return [...byName.values()];
}

function tableOf(rows) {
  const number = (value) => value.toLocaleString('en-US');
  const lines = rows.map(
    ({ name, jobs, faults, lost, again, toldFalsely, outage }) =>
      `| ${name} | ${[jobs, faults, lost, again, toldFalsely].map(number).join(' | ')} | ${outage} s |`,
  );
  return [
    '| Fault, again and again under load | Jobs | Faults | Lost | Run again | Told falsely | Longest wait of a producer |',
    '|---|--:|--:|--:|--:|--:|--:|',
    ...lines,
  ].join('\n');
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
