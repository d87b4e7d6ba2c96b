// The packed library in a project as users have them: its manifest, the entry points for compilers that do
// not read `exports`, and what is installed where the tests do not run.
import { jest } from '@jest/globals';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runNpm, runToEnd } from '../../scripts/child-processes.mjs';
import { packLibrary, root } from './packed-library.js';

jest.setTimeout(300_000);

const QUIETLY = ['--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];

let folder: string;
let project: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rq-users-project-'));
  const { archive } = await packLibrary(folder);
  project = join(folder, 'project');
  await mkdir(project);
  const devDependencies = { 'js-redis-server': '0.3' };
  await writeFile(
    join(project, 'package.json'),
    JSON.stringify({ private: true, devDependencies }),
  );
  const nest = ['@nestjs/common@11', '@nestjs/core@11', 'reflect-metadata', 'rxjs'];
  await npm('install', archive, ...nest);
});

afterAll(async () => {
  if (folder !== undefined) await rm(folder, { recursive: true, force: true });
});

function npm(...args: string[]): Promise<string> {
  return runNpm([...args, ...QUIETLY], { what: `npm ${args[0]}`, cwd: project, timeLimit: 240 });
}

function isInstalled(name: string): boolean {
  return existsSync(join(project, 'node_modules', name, 'package.json'));
}

it('says where it comes from and where to report a bug', async () => {
  const manifest = JSON.parse(
    await readFile(join(project, 'node_modules/nestjs-rq/package.json'), 'utf8'),
  );
  expect(manifest).toMatchObject({
    repository: { type: 'git', url: 'git+https://github.com/nestjs-rq/nestjs-rq.git' },
    homepage: expect.stringMatching(/^https:\/\/github\.com\/nestjs-rq\/nestjs-rq/),
    bugs: 'https://github.com/nestjs-rq/nestjs-rq/issues',
  });
});

it('all entry points have their types for `moduleResolution: node10` and CommonJS', async () => {
  await writeFile(
    join(project, 'main.ts'),
    `import { RqModule } from 'nestjs-rq';
import { RqTesting, RqTestingModule } from 'nestjs-rq/testing';
import 'nestjs-rq/testing/jest';

export const modules = [RqModule.forRoot({ connection: 'redis://localhost' }), RqTestingModule.forRoot()];
export async function run(rq: RqTesting): Promise<void> {
  await rq.drain();
  // @ts-expect-error: the types are real ones
  rq.noSuchMethod();
}
`,
  );
  await writeFile(
    join(project, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'ES2023',
        module: 'CommonJS',
        moduleResolution: 'node10',
        ignoreDeprecations: '6.0',
        strict: true,
        experimentalDecorators: true,
        skipLibCheck: true,
        noEmit: true,
        types: ['node'],
        typeRoots: [join(root, 'node_modules/@types')],
      },
      files: ['main.ts'],
    }),
  );
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = await runToEnd(process.execPath, [compiler, '-p', project], {
    what: 'the compiler',
    timeLimit: 120,
  });
  expect(stdout + stderr).toBe('');
});

it('`npm ci --omit=dev` leaves the embedded server of the tests out', async () => {
  expect(isInstalled('js-redis-server')).toBe(true);

  await npm('ci', '--omit=dev');

  expect(isInstalled('nestjs-rq')).toBe(true);
  expect(isInstalled('js-redis-server')).toBe(false);
});
