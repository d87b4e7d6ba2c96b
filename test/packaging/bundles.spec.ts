// An application in one file, made by the recipes of docs/bundlers.md: nothing beside it that it could load, and
// all that the library promises when a process is blocked or killed.
import { jest } from '@jest/globals';
import { cp, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import ts from 'typescript';
import { run } from '../../scripts/child-processes.mjs';
import { Connections, Queue, RedisJobStore } from '../../lib/index.js';
import { type Child, startChild } from '../support/children.js';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { packLibrary, root } from './packed-library.js';

// Above the limits of each single command.
jest.setTimeout(300_000);

/** `BUNDLES_LONG=1 npm run jest -- test/packaging/bundles` is the long round. */
const IS_LONG = process.env['BUNDLES_LONG'] !== undefined;

/** Node's own name for a folder of packages. */
const PACKAGES = 'node_modules';

let folder: string;
/** Elsewhere: a program there finds no packages. */
let away: string;
let redis: RedisServer;
let connections: Connections;
let queue: Queue;
const workers: Child[] = [];
/** By bundler: the bundle's path, when it is made. */
const programs = new Map<string, Promise<string>>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rq-bundles-'));
  away = await mkdtemp(join(tmpdir(), 'rq-bundled-'));
  await layOutProject();
  redis = await startRedis();
  connections = new Connections(redis.url);
  queue = new Queue('hard', new RedisJobStore(connections));
  // One after the other, while those that are made are tested already: their jobs wait more than they work.
  let last: Promise<unknown> = Promise.resolve();
  for (const bundle of bundles) {
    const program = last.then(() => programOf(bundle));
    programs.set(bundle.bundler, program);
    last = program.catch(() => undefined);
  }
});
afterEach(async () => {
  await Promise.all(workers.splice(0).map((worker) => worker.kill()));
});
afterAll(async () => {
  await Promise.allSettled(programs.values());
  await connections?.close();
  await redis?.stop();
  for (const path of [folder, away]) {
    if (path !== undefined) await rm(path, { recursive: true, force: true });
  }
});

interface Bundle {
  readonly bundler: string;
  /** Below the project's folder. */
  readonly file: string;
  readonly make: () => Promise<unknown>;
}

const bundles: Bundle[] = [
  {
    bundler: 'esbuild, as CommonJS',
    file: 'bundle/main.cjs',
    make: async () => node(await recipe('bundle.mjs')),
  },
  {
    bundler: 'esbuild, as an ES module',
    file: 'bundle/main.mjs',
    make: async () => node(await recipe('bundle-esm.mjs')),
  },
  {
    bundler: 'ncc',
    file: 'bundle/index.js',
    make: async () => {
      const [command, ...args] = (await recipeOf('sh', 'ncc')).trim().split(' ');
      expect(command).toBe('ncc');
      return node('node_modules/@vercel/ncc/dist/ncc/cli.js', ...args, '--no-cache');
    },
  },
  {
    bundler: 'webpack',
    file: 'bundle/main.cjs',
    make: async () => {
      const config = await recipe('webpack.config.mjs');
      // What `npx webpack` does. Its minimizer, which ncc uses, too, takes as long as all bundles together; in a long round
      // it makes this one, too. In the short one there is so one that is not minified.
      const text = `import webpack from 'webpack';
import config from './${config}';
if (${!IS_LONG}) config.optimization = { minimize: false };
webpack(config, (error, stats) => {
  if (error || stats.hasErrors()) throw error ?? new Error(stats.toString('errors-only'));
});
`;
      await writeFile(join(folder, 'webpack.mjs'), text);
      return node('webpack.mjs');
    },
  },
];

it.each(bundles)(
  'bundled by $bundler, a blocked job runs once and a killed one again',
  async ({ bundler }) => {
    const program = String(await programs.get(bundler));
    const [first, second] = await Promise.all([startWorker(program), startWorker(program)]);
    const eitherOf = (id: string) => Promise.race([began(first, id), began(second, id)]);

    // For longer than its lease, while the other worker looks for what was left behind.
    const blocking = await queue.enqueue('block', { milliseconds: 3500 });
    const blocked = await eitherOf(blocking.id);
    expect(await blocking.result({ timeout: 20 })).toEqual({ pid: blocked.pid });
    expect([...first.messages, ...second.messages].filter(isBeginning)).toHaveLength(1);
    // Nothing is missing that a line in the log would tell of.
    expect(first.output + second.output).toBe('');

    const held = await queue.enqueue('hold', {});
    const holder = await eitherOf(held.id);
    const other = holder === first ? second : first;
    await holder.kill('SIGKILL');
    expect(await held.result({ timeout: 20 })).toEqual({ pid: other.pid });

    other.send({ end: true });
    expect(await other.exited).toEqual({ code: 0, signal: null });
  },
);

/** Makes a bundle, and puts it where there are no packages. */
async function programOf({ file, make }: Bundle): Promise<string> {
  await rm(join(folder, 'bundle'), { recursive: true, force: true });
  await make();
  const place = await mkdtemp(join(away, 'bundle-'));
  await cp(join(folder, dirname(file)), place, { recursive: true });
  return join(place, basename(file));
}

async function startWorker(program: string): Promise<Child> {
  const worker = startChild(pathToFileURL(program), {
    env: { REDIS_URL: redis.url },
    needsBuild: false,
  });
  workers.push(worker);
  await worker.waitFor<{ ready?: boolean }>(({ ready }) => ready === true, {
    what: 'a worker that is ready',
    timeout: 60_000,
  });
  return worker;
}

/** Gives the worker when it has begun with the job. */
async function began(worker: Child, id: string): Promise<Child> {
  const what = `the beginning of job ${id}`;
  await worker.waitFor<{ began?: string }>((message) => message.began === id, { what });
  return worker;
}

function isBeginning(message: unknown): boolean {
  return (message as { began?: string }).began !== undefined;
}

/** A project with the library as it is packed, what the application needs of Nest and no more, and all other packages. */
async function layOutProject(): Promise<void> {
  const packages = join(folder, PACKAGES);
  await mkdir(join(packages, '@nestjs'), { recursive: true });
  for (const name of await readdir(join(root, PACKAGES))) {
    if (/^(@nestjs|nestjs-|class-|\.)/.test(name)) continue;
    await symlink(join(root, PACKAGES, name), join(packages, name));
  }
  for (const name of ['@nestjs/common', '@nestjs/core']) {
    await cp(join(root, PACKAGES, name), join(packages, name), { recursive: true });
  }
  const { archive } = await packLibrary(folder);
  await run('tar', ['-xzf', archive, '-C', packages], { timeLimit: 60 });
  await cp(join(packages, 'package'), join(packages, 'nestjs-rq'), { recursive: true });

  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  await mkdir(join(folder, 'dist'));
  const sources = fileURLToPath(new URL('./bundled', import.meta.url));
  for (const name of await readdir(sources)) {
    const compiled = ts.transpileModule(await readFile(join(sources, name), 'utf8'), {
      compilerOptions: {
        module: ts.ModuleKind.ESNext,
        target: ts.ScriptTarget.ES2023,
        experimentalDecorators: true,
        emitDecoratorMetadata: true,
      },
    });
    await writeFile(join(folder, 'dist', name.replace(/\.ts$/, '.js')), compiled.outputText);
  }
}

/** Writes the recipe of this name where a user would, and gives the name. */
async function recipe(name: string): Promise<string> {
  await writeFile(join(folder, name), await recipeOf('js', name));
  return name;
}

/** The block of the docs that begins with such a line: "```js bundle.mjs". */
async function recipeOf(language: string, name: string): Promise<string> {
  const docs = await readFile(join(root, 'docs/bundlers.md'), 'utf8');
  const block = new RegExp(`^\`\`\`${language} ${name}\\n([^]*?)^\`\`\``, 'm').exec(docs)?.[1];
  if (block === undefined) throw new Error(`docs/bundlers.md has no block "${name}"`);
  return block;
}

function node(...args: string[]): Promise<string> {
  return run(process.execPath, args, { what: args[0], cwd: folder, timeLimit: 120 });
}
