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

function exportedNames(code: string): string[] {
  const file = ts.createSourceFile('index.ts', code, ts.ScriptTarget.ES2023);
  return file.statements.filter(ts.isExportDeclaration).flatMap(({ exportClause }) => {
    if (!exportClause || !ts.isNamedExports(exportClause)) throw new Error('export * hides names');
    return exportClause.elements.map(({ name }) => name.text);
  });
}
