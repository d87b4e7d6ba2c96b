// `npm run sample -- 02-validation-guards`: runs the tour of a sample, or its tests, on a machine that has only Node.
// The number alone will do; without a name the samples are listed. REDIS_URL names a Redis to use.
import { existsSync, readdirSync } from 'node:fs';
import { root } from './dependencies.mjs';
import { runSample } from './run-sample.mjs';

const samples = readdirSync(`${root}sample`)
  .filter((name) => existsSync(`${root}sample/${name}/tsconfig.json`))
  .toSorted();

const [wanted, ...args] = process.argv.slice(2);
const name = samples.find((sample) => sample === wanted || sample.startsWith(`${wanted}-`));

if (name === undefined) {
  const problem = wanted === undefined ? 'Which sample?' : `There is no sample "${wanted}".`;
  console.error(`${problem} Give one of these:\n`);
  for (const sample of samples) console.error(`  npm run sample -- ${sample}`);
  process.exitCode = 1;
} else {
  await runSample(name, { purpose: 'the sample', args });
}
