// The code of README.md and docs/, as files that a compiler can read.
//
// - A block with imports is a file of its page. Its first line may name it (`// image.jobs.ts`), for others to import.
// - Other blocks stand in an HTML comment's code, which readers do not see: `<!-- compiled in:` before the block, with
//   `/* block */` where the block goes (left out: at the end), closed by `-->`.
// - ```ts fragment is not compiled: what is another library's, or no whole statement.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CodeBlock {
  /** `docs/retries.md`. */
  readonly page: string;
  /** Of its first line of code in the page, 1-based. */
  readonly line: number;
  /** Its file within the page: `image.jobs.ts`. */
  readonly file: string;
  /** What is compiled. */
  readonly code: string;
  /** Where the block begins in `code`, in lines. */
  readonly linesBefore: number;
}

export interface Page {
  readonly name: string;
  readonly blocks: readonly CodeBlock[];
  /** How many blocks are marked as fragments. */
  readonly fragments: number;
  /** Blocks that nobody can compile and that are not marked: the number of their first line. */
  readonly unmarked: readonly number[];
}

export function pages(): Page[] {
  const docs = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`).sort()].map((name) =>
    readPage(name, readFileSync(join(ROOT, name), 'utf8')),
  );
}

const BLOCK =
  /(?:<!-- compiled in:\n(?<setting>[^]*?)-->\n+)?^```(?:ts|typescript)(?<info>[^\n]*)\n(?<code>[^]*?)^```$/gm;

export function readPage(name: string, text: string): Page {
  const blocks: CodeBlock[] = [];
  const unmarked: number[] = [];
  let fragments = 0;
  for (const match of text.matchAll(BLOCK)) {
    const { setting, info = '', code = '' } = match.groups ?? {};
    const head = match[0].slice(0, match[0].indexOf('```'));
    const line = text.slice(0, match.index + head.length).split('\n').length + 1;
    if (info.trim() === 'fragment') fragments += 1;
    else if (setting === undefined && !/^import /m.test(code)) unmarked.push(line);
    else {
      const [before = '', after = ''] = setting?.split('/* block */') ?? [];
      const given = /title="([^"]+)"/.exec(info)?.[1] ?? /^\/\/ ([\w.-]+\.ts)$/m.exec(code)?.[1];
      const file = given ?? `line-${line}.ts`;
      const linesBefore = before.split('\n').length - 1;
      // A file with neither import nor export would share its names with all others.
      const whole = `${before}${code}${after}\nexport {};\n`;
      blocks.push({ page: name, line, file, code: whole, linesBefore });
    }
  }
  return { name, blocks, fragments, unmarked };
}
