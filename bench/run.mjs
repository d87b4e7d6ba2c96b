// `npm run bench`: measures nestjs-rq and BullMQ in turn against one Redis that it starts, prints the table and writes
// RESULTS.md and results.json beside this file. See README.md for the options.

import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { format, resolveConfig } from 'prettier';
import { describeMachine } from './harness/machine.mjs';
import { measureCase } from './harness/measure-case.mjs';
import { startRedis } from './harness/redis-server.mjs';
import { runLine, toMarkdown, toTerminal } from './harness/report.mjs';

const CASES = [
  'enqueue',
  'process',
  'slow-network',
  'large-jobs',
  'retries',
  'limits',
  'fan-in',
  'delayed',
  'idle-pickup',
  'delayed-lateness',
  'memory',
  'cpu',
  'backlog',
  'worker-processes',
  'idle-worker',
  'nest-handler',
  'physical-limit',
];
const SIDES = ['nestjs-rq', 'bullmq'];

const options = readOptions();
if (
  options.sides.includes('nestjs-rq') &&
  !existsSync(new URL('../dist/index.js', import.meta.url))
) {
  console.error(
    'bench: dist/ is missing, and the built package is what is measured. Run: npm run build',
  );
  process.exit(1);
}

const begin = performance.now();
const redis = await startRedis();
const results = {
  machine: await describeMachine(redis.client),
  settings: { rounds: options.rounds, quick: options.quick },
  cases: [],
};
for (const name of options.cases) {
  const { default: benchmark } = await import(`./cases/${name}.mjs`);
  if (benchmark.sides && !benchmark.sides.some((side) => options.sides.includes(side))) continue;
  const onRun = (run) => console.error(runLine(benchmark, run));
  results.cases.push(await measureCase(benchmark, { ...options, redis, onRun }));
}
await redis.stop();
results.settings.minutes = Math.round((performance.now() - begin) / 6000) / 10;

console.log(toTerminal(results));
if (options.write) await write(results);
process.exitCode = results.cases.some(({ voidRuns }) => voidRuns.length > 0) ? 1 : 0;

function readOptions() {
  const { values } = parseArgs({
    options: {
      only: { type: 'string', multiple: true },
      rounds: { type: 'string' },
      quick: { type: 'boolean', default: false },
      side: { type: 'string', multiple: true },
      write: { type: 'boolean' },
    },
  });
  const partial = values.only || values.side || values.quick;
  return {
    cases: chosen('--only', values.only, CASES),
    sides: chosen('--side', values.side, SIDES),
    rounds: wholeNumber('--rounds', values.rounds ?? (values.quick ? '2' : '5')),
    limited: values.rounds === undefined,
    quick: values.quick,
    // What is published comes from a whole run.
    write: values.write ?? !partial,
  };
}

function chosen(option, names, known) {
  if (!names) return known;
  const list = names.flatMap((text) => text.split(','));
  const unknown = list.find((name) => !known.includes(name));
  if (unknown !== undefined) fail(`${option}: "${unknown}" is none of ${known.join(', ')}`);
  return known.filter((name) => list.includes(name));
}

function wholeNumber(option, text) {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) fail(`${option} must be a whole number of at least 1`);
  return value;
}

function fail(message) {
  console.error(`bench: ${message}`);
  process.exit(2);
}

async function write(complete) {
  const texts = {
    'results.json': ['json', JSON.stringify(complete)],
    'RESULTS.md': ['markdown', toMarkdown(complete)],
  };
  for (const [file, [parser, text]] of Object.entries(texts)) {
    const target = new URL(file, import.meta.url);
    const style = await resolveConfig(target);
    await writeFile(target, await format(text, { ...style, parser }));
  }
}
