import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Injectable } from '@nestjs/common';
import { InjectQueue, Job, Queue, RqModule } from 'nestjs-rq';
import type { RqRoot } from '../../lib/nest/root/rq-root.js';
import { getRootToken } from '../../lib/nest/tokens.js';
import { type Child, assertBuilt, startChild } from '../support/children.js';
import { deferred, within } from '../support/wait.js';
import { NOWHERE, closeApplicationsAfterEach, create, start } from './support/kit.js';

closeApplicationsAfterEach();

const program = new URL('./support/closing-application.mjs', import.meta.url);
const repository = fileURLToPath(new URL('../../', import.meta.url));

interface Said {
  ran?: string[];
  error?: { name: string; code: string; message: string };
}

async function whatSays(child: Child): Promise<Said> {
  const said = await child.waitFor<Said>(() => true, { what: 'a word', timeout: 20_000 });
  const end = await within(child.exited, { what: 'the process to end by itself' });
  expect({ ...end, output: child.output }).toEqual({ code: 0, signal: null, output: '' });
  return said;
}

it('a process ends by itself when its application has closed', async () => {
  expect(await whatSays(startChild(program))).toEqual({ ran: ['ann', 'bob'] });
});

it('a process ends by itself when its application was never started', async () => {
  const child = startChild(program, { args: ['compiled only'] });
  expect(await whatSays(child)).toEqual({ ran: [] });
});

it('without js-redis-server, it says what to install', async () => {
  assertBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-rq-without-peer-'));
  try {
    const modules = join(folder, 'node_modules');
    mkdirSync(join(modules, 'nestjs-rq'), { recursive: true });
    for (const name of ['dist', 'package.json']) {
      cpSync(join(repository, name), join(modules, 'nestjs-rq', name), { recursive: true });
    }
    for (const name of readdirSync(join(repository, 'node_modules'))) {
      if (name.startsWith('.') || name === 'js-redis-server') continue;
      symlinkSync(join(repository, 'node_modules', name), join(modules, name));
    }
    cpSync(program, join(folder, 'program.mjs'));

    const { error } = await whatSays(startChild(pathToFileURL(join(folder, 'program.mjs'))));
    expect(error).toMatchObject({ name: 'EmbeddedRedisError', code: 'RQ_EMBEDDED_REDIS' });
    expect(error!.message).toMatch(/js-redis-server.*npm install --save-dev js-redis-server/);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

it('other providers may enqueue in their own hooks, first and last', async () => {
  @Injectable()
  class Producer {
    constructor(@InjectQueue('other') private readonly other: Queue) {}
    onModuleInit() {
      return this.other.enqueue('init');
    }
    onApplicationShutdown() {
      return this.other.enqueue('shutdown');
    }
  }
  const { app, rq, logs } = await start({
    imports: [RqModule.forRoot({ connection: NOWHERE }), RqModule.registerQueue('other')],
    providers: [Producer],
  });
  await expect(rq.enqueued('other')).resolves.toMatchObject([{ name: 'init' }]);
  await app.close();
  expect(logs.lines.filter((line) => line.startsWith('error'))).toEqual([]);
});

it('the embedded server ends with the application', async () => {
  const { app } = await start({ imports: [RqModule.forRoot({ connection: NOWHERE })] });
  const root = app.get<RqRoot>(getRootToken('default'), { strict: false });
  const { port } = new URL(root.options.connection as string);
  const socket = connect(Number(port), '127.0.0.1');
  await once(socket, 'connect');
  const ended = once(socket, 'close');
  socket.on('error', () => undefined).resume();
  await app.close();
  await expect(within(ended, { what: 'the server to end' })).resolves.toBeDefined();
});

it('closing lets running jobs finish, as ever', async () => {
  const mayEnd = deferred();
  const started = deferred();
  let hasEnded = false;

  class Jobs {
    @Job('work')
    async slow() {
      started.resolve();
      await mayEnd.promise;
      hasEnded = true;
    }
  }
  const { app, rq } = await start({
    imports: [RqModule.forRoot({ connection: NOWHERE })],
    providers: [Jobs],
  });
  await rq.queue('work').enqueue('slow');
  const drained = rq.drain().catch((error: unknown) => error);
  await started.promise;
  const closed = app.close();
  mayEnd.resolve();
  await within(closed, { what: 'the application to close' });
  expect(hasEnded).toBe(true);
  await within(drained, { what: 'the drain to end' });
});

it('an application that fails to start can be closed', async () => {
  class Broken {
    onModuleInit() {
      throw new Error('broken');
    }
  }
  const { app } = await create({
    imports: [RqModule.forRoot({ connection: NOWHERE })],
    providers: [Broken],
  });
  await expect(app.init()).rejects.toThrow('broken');
  await within(app.close(), { what: 'the application to close' });
});
