// The list of the library's metrics (lib/observe/metric-list.ts), for what is made of it here. A name that is not in it
// cannot be used: a board that asks for a metric which nobody exports stays empty without a word.
import { transformSync } from 'esbuild';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../../lib/observe/metric-list.ts', import.meta.url));
const { code } = transformSync(readFileSync(file, 'utf8'), { loader: 'ts', format: 'esm' });
const { METRICS } = await import(`data:text/javascript;base64,${Buffer.from(code).toString('base64')}`);

const byName = new Map(METRICS.map((metric) => [metric.name, metric]));

/** The name of a metric, checked; of a histogram with `_bucket`, `_sum` or `_count`. */
export function metric(name) {
  const known = byName.get(name.replace(/_(bucket|sum|count)$/, '')) ?? byName.get(name);
  if (!known) throw new Error(`there is no metric ${name}`);
  return name;
}

/** Each process that exports what Redis says shows the same: one of them counts. */
export function fleet(name, by = 'queue', where = '') {
  if (byName.get(metric(name)).scope !== 'fleet') throw new Error(`${name} is not of the fleet`);
  return `max by (${by}) (${name}${where})`;
}
