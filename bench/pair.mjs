// `npm run bench:pair -- --base DIR`: what a plain job costs here, compared with another build of this repository. It shows
// CPU time of the client and of the server per job, jobs per second, and of waiting jobs the bytes that each takes in Redis.
// DIR is a checkout with node_modules and dist/.
//
// Both builds take turns in short rounds (here, there, there, here), each in processes of its own, against one Redis. What
// is shown are medians of the ratios of rounds that follow each other, and the half of them that lies in the middle.
// Processes are started anew a few times, since no two are compiled quite alike. See README.md.

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Child } from './harness/children.mjs';
import { startRedis } from './harness/redis-server.mjs';
import { median, quantile } from './harness/statistics.mjs';
import { WORKLOADS } from './harness/pair-workloads.mjs';

const MEASURES = ['client', 'server', 'rate'];
/** Of each process before it is measured: until then it compiles, which costs more than the jobs. */
const WARM_JOBS = 40_000;
const LONGEST_WARM_UP_MS = 30_000;

const { values } = parseArgs({
  options: {
    base: { type: 'string' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '6' },
    starts: { type: 'string', default: '2' },
  },
});
if (values.base === undefined) {
  console.error(
    'bench: --base is missing. Give the folder of the build to compare with: --base ../base',
  );
  process.exit(2);
}
const builds = { here: fileURLToPath(new URL('..', import.meta.url)), base: resolve(values.base) };
for (const folder of Object.values(builds)) {
  if (existsSync(`${folder}/dist/index.js`)) continue;
  console.error(`bench: there is no dist/ in ${folder}. Run there: npm run build`);
  process.exit(1);
}
const known = Object.keys(WORKLOADS);
const names = values.only?.split(',') ?? known;
const unknown = names.find((name) => !known.includes(name));
if (unknown !== undefined) {
  console.error(`bench: --only: "${unknown}" is none of ${known.join(', ')}`);
  process.exit(2);
}

const redis = await startRedis();
console.log(`${'µs of CPU per job'.padEnd(18)}${columns(MEASURES)}`);
for (const name of names) {
  const pairs = [];
  for (let start = 0; start < Number(values.starts); start += 1)
    pairs.push(...(await series(name)));
  const measures = name === 'enqueue-bulk' ? [...MEASURES, 'memory'] : MEASURES;
  console.log(`${name.padEnd(18)}${columns(measures.map((measure) => summary(pairs, measure)))}`);
}
await redis.stop();

/** Rounds of one workload in fresh processes; answers with the measures of both builds, in pairs. */
async function series(name) {
  const sides = {};
  for (const [side, folder] of Object.entries(builds)) {
    sides[side] = Child.start('harness/pair-process.mjs', [folder, redis.port, name]);
  }
  const measure = async (side) => {
    await redis.client.flushall();
    return sides[side].ask({});
  };
  // What is compiled, and how large the heap has to be, is known after this.
  const warmedUpBy = performance.now() + LONGEST_WARM_UP_MS;
  for (let jobs = 0; jobs < WARM_JOBS && performance.now() < warmedUpBy;) {
    jobs += (await measure('here')).jobs;
    await measure('base');
  }
  const pairs = [];
  for (let round = 0; round < Number(values.rounds); round += 1) {
    const order = round % 2 === 0 ? ['here', 'base'] : ['base', 'here'];
    const pair = {};
    for (const side of order) pair[side] = await measure(side);
    pairs.push(pair);
  }
  for (const child of Object.values(sides)) await child.end();
  return pairs;
}

/** Median of the base, median of the ratios, and the half of them that lies in the middle. */
function summary(pairs, measure) {
  const ratios = pairs.map(({ here, base }) => (here[measure] / base[measure] - 1) * 100);
  const [low, middle, high] = [0.25, 0.5, 0.75].map((q) => quantile(ratios, q).toFixed(1));
  const base = median(pairs.map((pair) => pair.base[measure]));
  return `${base.toFixed(measure === 'rate' ? 0 : 2)} ${Number(middle) < 0 ? '' : '+'}${middle} % (${low} to ${high})`;
}

function columns(texts) {
  return texts.map((text) => text.padStart(34)).join('');
}
