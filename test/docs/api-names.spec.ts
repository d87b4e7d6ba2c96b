// docs/api.md names everything that the package exports, so that nothing public is known to its source alone.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { ROOT } from './code-blocks.js';

const page = readFileSync(join(ROOT, 'docs/api.md'), 'utf8');

it.each(['lib/index.ts', 'lib/testing/index.ts'])('docs/api.md has every name of %s', (path) => {
  const names = exportedNames(readFileSync(join(ROOT, path), 'utf8'));
  expect(names).not.toEqual([]);
  expect(names.filter((name) => !isInTable(name))).toEqual([]);
});

it.each([
  ['lib/queue/queue.ts', 'Queue'],
  ['lib/queue/rq-job.ts', 'RqJob'],
  ['lib/worker/run/running-job.ts', 'RunningJob'],
  ['lib/nest/root/rq.service.ts', 'RqService'],
  ['lib/observe/inspector.ts', 'RqInspector'],
  ['lib/rq.module.ts', 'RqModule'],
  ['lib/testing/rq-testing.ts', 'RqTesting'],
])('docs/api.md has every method and property of %s: %s', (path, className) => {
  const names = publicMembers(readFileSync(join(ROOT, path), 'utf8'), className);
  expect(names).not.toEqual([]);
  expect(names.filter((name) => !isMentioned(name))).toEqual([]);
});

it('a name is in the page when it begins a row of a table', () => {
  expect(isInTable('Queue')).toBe(true);
  expect(isInTable('Que')).toBe(false);
  expect(isInTable('NobodyExportsThis')).toBe(false);
});

/** "| `@Job(options)`, `JobDecorator` | ... |" names both. */
function isInTable(name: string): boolean {
  const rows = page.split('\n').filter((line) => line.startsWith('| `'));
  const first = rows.map((row) => row.split(' | ')[0] ?? '');
  return first.some((cell) => new RegExp(`\`@?${name}\\b`).test(cell));
}

/** Members may also stand behind their class: "| `RqTesting` | `queue`, `drain`, ... |". */
function isMentioned(name: string): boolean {
  return new RegExp(`^\\| .*\`(@?\\w+\\.)?${name}\\b`, 'm').test(page);
}

function publicMembers(code: string, className: string): string[] {
  const file = ts.createSourceFile('class.ts', code, ts.ScriptTarget.ES2023, true);
  const found = file.statements
    .filter(ts.isClassDeclaration)
    .find(({ name }) => name?.text === className);
  const members = (found?.members ?? []).filter((member) => {
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Override;
    const isInternal = ts.getJSDocTags(member).some(({ tagName }) => tagName.text === 'internal');
    return !isInternal && (ts.getCombinedModifierFlags(member) & hidden) === 0;
  });
  const names = members.map(({ name }) => (name && ts.isIdentifier(name) ? name.text : undefined));
  return [...new Set(names.filter((name) => name !== undefined && name !== 'toJSON'))] as string[];
}

function exportedNames(code: string): string[] {
  const file = ts.createSourceFile('index.ts', code, ts.ScriptTarget.ES2023);
  return file.statements.filter(ts.isExportDeclaration).flatMap(({ exportClause }) => {
    if (!exportClause || !ts.isNamedExports(exportClause)) throw new Error('export * hides names');
    return exportClause.elements.map(({ name }) => name.text);
  });
}
