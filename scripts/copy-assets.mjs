// The second half of `npm run build`: the compiler copies TypeScript only. The store reads its Lua scripts at run
// time from the folder beside its own file and starts a thread from a plain JavaScript file: both belong into dist/.
import { cpSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../lib/', import.meta.url));
const target = fileURLToPath(new URL('../dist/', import.meta.url));

const assets = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter((name) =>
  /\.(lua|mjs)$/.test(name),
);
if (!assets.some((name) => name.endsWith('.lua'))) {
  throw new Error('No .lua file found in lib/: the built package could not talk to Redis.');
}
for (const asset of assets) cpSync(`${source}${asset}`, `${target}${asset}`);
