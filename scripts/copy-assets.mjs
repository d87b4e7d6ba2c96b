// The second half of `npm run build`: the compiler copies TypeScript only. A thread starts from a plain JavaScript file.
import { cpSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../lib/', import.meta.url));
const target = fileURLToPath(new URL('../dist/', import.meta.url));

for (const name of readdirSync(source, { recursive: true, encoding: 'utf8' })) {
  if (name.endsWith('.mjs')) cpSync(`${source}${name}`, `${target}${name}`);
}
