// The recipe of docs/handlers.md for work that computes, as it is printed there: a thread, which ends with its job.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { RunningJob } from 'nestjs-rq';
import ts from 'typescript';
import { Engine } from '../integration/support/engine.js';
import { eventually } from '../support/wait.js';
import { pages } from './code-blocks.js';

const engine = Engine.forThisFile();
const blocks = pages().find(({ name }) => name === 'docs/handlers.md')?.blocks ?? [];

type RunInThread = (file: URL, data: unknown, signal: AbortSignal) => Promise<unknown>;

let folder: string;
let runInThread: RunInThread;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rq-threads-'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await put('run-in-thread');
  await put('primes.worker');
  await writeFile(join(folder, 'throws.js'), "throw new RangeError('no primes today');");
  await writeFile(join(folder, 'leaves.js'), 'process.exit(3);');
  const module = (await import(fileOf('run-in-thread').href)) as { runInThread: RunInThread };
  ({ runInThread } = module);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** The block of this name, as JavaScript. */
async function put(name: string): Promise<void> {
  const code = blocks.find(({ file }) => file === `${name}.ts`)?.code ?? '';
  const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
  const { outputText } = ts.transpileModule(code, { compilerOptions });
  await writeFile(join(folder, `${name}.js`), outputText);
}

function fileOf(name: string): URL {
  return pathToFileURL(join(folder, `${name}.js`));
}

it('gives the result, and the event loop goes on meanwhile', async () => {
  await engine.work({
    count: (data, job) => runInThread(fileOf('primes.worker'), data, (job as RunningJob).signal),
  });
  const job = await engine.queue().enqueue('count', { below: 100 });
  expect(await job.result({ timeout: 20 })).toBe(25);
});

it('ends at the timeout of its job, in the middle of a loop', async () => {
  const ends: unknown[] = [];
  await engine.work({
    count: (data, job) =>
      runInThread(fileOf('primes.worker'), data, (job as RunningJob).signal).catch(
        (error: unknown) => {
          ends.push(error);
          throw error;
        },
      ),
  });
  const job = await engine.queue().enqueue('count', { below: 1e15 }, { timeout: '500ms' });
  await expect(job.result({ timeout: 20 })).rejects.toThrow(/JobTimeoutError|timeout/i);
  // It has rejected: its thread was ended before.
  await eventually(() => ends.length === 1, { what: 'the end of the thread' });
});

it.each([
  ['throws', /no primes today/],
  ['leaves', /ended with code 3 and no result/],
])('a thread that %s makes the attempt fail', async (name, message) => {
  const { signal } = new AbortController();
  await expect(runInThread(fileOf(name), {}, signal)).rejects.toThrow(message);
});
