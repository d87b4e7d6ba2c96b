// Every block of TypeScript in README.md and docs/ compiles as it is printed there, against this library.
import { dirname, join } from 'node:path';
import ts from 'typescript';
import { type CodeBlock, ROOT, pages, readPage } from './code-blocks.js';

const all = pages();

/** What is wrong in these is known: they show that the compiler of the docs sees it. */
const wrong = readPage(
  'docs/wrong.md',
  "# Wrong\n\n```ts\nimport { Queue } from 'nestjs-rq';\nexport const queue: Queue = 1;\n```\n",
);
const inSetting = readPage(
  'docs/in-setting.md',
  '<!-- compiled in:\nfunction example(count: number) {\n/* block */\n}\n-->\n```ts\ncount.trim();\n```\n' +
    '```ts\nnobody.knows();\n```\n```ts fragment\n...\n```\n',
);

/** What users get wrong in `@Job`, and what the first line must then say. */
const MISTAKES: readonly (readonly [options: string, data: string, first: RegExp])[] = [
  ["{ queue: 'a', attempts: 3 }", 'Mail', /'attempts' does not exist in type 'JobHandlerOptions/],
  ["{ queue: 'a', batch: { size: 5 }, retires: 1 }", 'Mail[]', /'retires' does not exist in type/],
  ["{ queue: 'a', retry: { maxx: 3 } }", 'Mail', /'maxx' .* Did you mean to write 'max'/],
  ["{ queue: 'a', batch: { sise: 5, size: 5 } }", 'Mail[]', /'sise' does not exist/],
  ["{ queue: 'a', batch: { wait: 5 } }", 'Mail[]', /'size' is missing in type '{ wait: number; }'/],
  ["{ queue: 'a', timeout: true }", 'Mail', /'true' is not assignable to type 'false | Duration/],
  ["{ queue: 'a', key: 5 }", 'Mail', /'number' is not assignable to type 'JobKey/],
];

const mistakes = MISTAKES.map(([options, data], index) =>
  readPage(
    `docs/mistake-${index}.md`,
    "```ts\nimport { Job } from 'nestjs-rq';\ninterface Mail { to: string }\nexport class MailJobs {\n" +
      `  @Job(${options})\n  send(_data: ${data}) {}\n}\n\`\`\`\n`,
  ),
);

let problems: ReadonlyMap<string, readonly string[]>;

beforeAll(() => {
  problems = compile([...all, wrong, inSetting, ...mistakes].flatMap(({ blocks }) => blocks));
}, 180_000);

describe('the code of the docs', () => {
  it.each(all.map(({ name }) => name))('%s compiles', (name) => {
    expect(problems.get(name) ?? []).toEqual([]);
  });

  it.each(all)('$name: each block has imports, a setting, or the mark "fragment"', (page) => {
    expect(page.unmarked.map((line) => `${page.name}:${line}`)).toEqual([]);
  });

  it.each(all)('$name: no two blocks are one file', ({ blocks }) => {
    const files = blocks.map(({ file }) => file);
    expect(files).toEqual([...new Set(files)]);
  });

  it('fragments are few', () => {
    expect(all.reduce((sum, { fragments }) => sum + fragments, 0)).toBeLessThanOrEqual(8);
  });
});

it.each(MISTAKES.map((mistake, index) => [...mistake, index] as const))(
  '@Job(%s): the first that the compiler says is the wrong option',
  (_options, _data, first, index) => {
    const [problem = ''] = problems.get(`docs/mistake-${index}.md`) ?? [];
    expect(problem.split('\n')[0]).toMatch(first);
    expect(problem).toContain(`docs/mistake-${index}.md:5: `);
  },
);

describe('the compiler of the docs', () => {
  it('says page and line of what is wrong', () => {
    expect(problems.get('docs/wrong.md')).toEqual([
      expect.stringContaining('docs/wrong.md:5: Type'),
    ]);
  });

  it('puts a block into its setting', () => {
    expect(problems.get('docs/in-setting.md')).toEqual([
      expect.stringContaining("docs/in-setting.md:7: Property 'trim' does not exist"),
    ]);
  });

  it('knows a block that nobody can compile', () => {
    expect(inSetting.unmarked).toEqual([10]);
    expect(inSetting.fragments).toBe(1);
  });
});

/** One program for all blocks. What the compiler says, by page. */
function compile(blocks: readonly CodeBlock[]): Map<string, string[]> {
  const byPath = new Map(blocks.map((block) => [pathOf(block), block]));
  const config = join(ROOT, 'test/tsconfig.json');
  const read = ts.getParsedCommandLineOfConfigFile(config, {}, { ...ts.sys, ...FATAL });
  const options: ts.CompilerOptions = {
    ...read?.options,
    noEmit: true,
    noUnusedLocals: false,
    noUnusedParameters: false,
    isolatedModules: false,
  };
  const disk = ts.createCompilerHost(options);
  const folders = new Set([...byPath.keys()].map((path) => dirname(path)));
  const format = { languageVersion: ts.ScriptTarget.ES2023, ...ES_MODULE };
  const host: ts.CompilerHost = {
    ...disk,
    fileExists: (path) => byPath.has(path) || disk.fileExists(path),
    directoryExists: (path) => folders.has(path) || (disk.directoryExists?.(path) ?? true),
    readFile: (path) => byPath.get(path)?.code ?? disk.readFile(path),
    getSourceFile: (path, ...rest) => {
      const code = byPath.get(path)?.code;
      if (code === undefined) return disk.getSourceFile(path, ...rest);
      return ts.createSourceFile(path, code, format, true);
    },
  };
  const program = ts.createProgram([...byPath.keys()], options, host);
  const problems = new Map<string, string[]>();
  for (const [path, block] of byPath) {
    const file = program.getSourceFile(path);
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ].map(({ start = 0, messageText }) => {
      const inCode = file ? file.getLineAndCharacterOfPosition(start).line : 0;
      const message = ts.flattenDiagnosticMessageText(messageText, '\n');
      return `${block.page}:${block.line + inCode - block.linesBefore}: ${message}`;
    });
    problems.set(block.page, [...(problems.get(block.page) ?? []), ...found]);
  }
  return problems;
}

/** Inside of the checkout, where the packages are found; nothing is written there. */
function pathOf({ page, file }: CodeBlock): string {
  return join(ROOT, 'docs', page.replaceAll('/', '-'), file);
}

const ES_MODULE = { impliedNodeFormat: ts.ModuleKind.ESNext } as const;

const FATAL = {
  onUnRecoverableConfigFileDiagnostic: ({ messageText }: ts.Diagnostic) => {
    throw new Error(ts.flattenDiagnosticMessageText(messageText, '\n'));
  },
};
