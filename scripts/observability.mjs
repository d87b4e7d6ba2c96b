// Writes observability/grafana.json and observability/rules.yml, which the package ships, out of the list of the
// library's metrics. `--check`: only tells whether they are up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { boardText } from './observability/board.mjs';
import { rulesText } from './observability/rules.mjs';

const folder = new URL('../observability/', import.meta.url);
const files = { 'grafana.json': boardText(), 'rules.yml': rulesText() };
for (const [name, text] of Object.entries(files)) {
  const file = fileURLToPath(new URL(name, folder));
  if (!process.argv.includes('--check')) writeFileSync(file, text);
  else if (readFileSync(file, 'utf8') !== text) {
    console.error(`observability/${name} is out of date: node scripts/observability.mjs`);
    process.exitCode = 1;
  }
}
