// docs/options.md has every option, each in the table of the call that takes it, and no option that is none.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './code-blocks.js';

const page = readFileSync(join(ROOT, 'docs/options.md'), 'utf8');

/** Heading, and the interfaces whose keys its table has. */
const TABLES: readonly { heading: string; takes: readonly (readonly [string, string])[] }[] = [
  {
    heading: '`RqModule.forRoot`',
    takes: [['lib/nest/options/root-options.ts', 'RqModuleOptions']],
  },
  { heading: '`worker`', takes: [['lib/worker/worker-options.ts', 'WorkerOptions']] },
  {
    heading: '`RqModule.registerQueue`',
    takes: [
      ['lib/nest/options/queue-options.ts', 'RqQueueOptions'],
      ['lib/nest/options/queue-options.ts', 'RegisterQueueOptions'],
    ],
  },
  { heading: 'Job options', takes: [['lib/job/job-options.ts', 'JobOptions']] },
  { heading: '`@Job`', takes: [['lib/nest/handlers/job-metadata.ts', 'JobHandlerOptions']] },
  {
    heading: '`@OnJob`',
    takes: [['lib/nest/listeners/listener-metadata.ts', 'JobListenerOptions']],
  },
];

/** Those that `forRoot` takes beside `worker`. */
const OF_THE_ROOT = ['shutdownTimeout', 'webhooks', 'durability'];

it.each(TABLES)('$heading', ({ heading, takes }) => {
  const keys = takes.flatMap(([path, name]) => keysOf(path, name));
  const expected = heading === '`worker`' ? keys.filter((key) => !OF_THE_ROOT.includes(key)) : keys;
  expect(expected.length).toBeGreaterThan(3);
  expect(namedUnder(heading).toSorted()).toEqual(expected.toSorted());
});

/** The names in the first cells: "| `key`, `concurrency` | – | ..." has two. */
function namedUnder(heading: string): string[] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '')
    .split('\n')
    .filter((line) => line.startsWith('| `'));
  return rows.flatMap((row) =>
    [...(row.split(' | ')[0] ?? '').matchAll(/`(\w+)`/g)].map(([, name = '']) => name),
  );
}

function keysOf(path: string, name: string): string[] {
  const code = readFileSync(join(ROOT, path), 'utf8');
  const file = ts.createSourceFile(path, code, ts.ScriptTarget.ES2023, true);
  const found = file.statements
    .filter(ts.isInterfaceDeclaration)
    .find((one) => one.name.text === name);
  return (found?.members ?? []).flatMap((member) =>
    member.name && ts.isIdentifier(member.name) ? [member.name.text] : [],
  );
}
