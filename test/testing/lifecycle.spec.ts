import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { InjectQueue, Job, Queue, RqModule } from 'nestjs-rq';
import type { RqRoot } from '../../lib/nest/root/rq-root.js';
import { getRootToken } from '../../lib/nest/tokens.js';
import { type Child, assertBuilt, startChild } from '../support/children.js';
import { deferred, within } from '../support/wait.js';
import { NOWHERE, closeApplicationsAfterEach, create, start } from './support/kit.js';

// Above the deadlines within a test, which starts a process.
jest.setTimeout(90_000);

closeApplicationsAfterEach();

const program = new URL('./support/closing-application.mjs', import.meta.url);
const repository = fileURLToPath(new URL('../../', import.meta.url));

interface Said {
  ran?: string[];
  error?: { name: string; code: string; message: string };
}

async function whatSays(child: Child): Promise<Said> {
  const said = await child.waitFor<Said>(() => true, { what: 'a word', timeout: 40_000 });
  const end = await within(child.exited, {
    what: 'the process to end by itself',
    timeout: 30_000,
  });
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

describe('what is installed of js-redis-server', () => {
  it('nothing: it says what to install', async () => {
    expect(await errorWithServer(() => undefined)).toMatch(
      /js-redis-server, which is not installed.*npm install --save-dev js-redis-server@0\.3$/,
    );
  });

  it('another version: it says which one there is, and what to install', async () => {
    const message = await errorWithServer((modules) => installFake(modules, '0.4.1'));
    expect(message).toMatch(
      /needs js-redis-server 0\.3\.x, and 0\.4\.1 is installed.*npm install --save-dev js-redis-server@0\.3$/,
    );
  });
});

/** A package of that name and version, with nothing in it. */
function installFake(modules: string, version: string): void {
  const folder = join(modules, 'js-redis-server');
  mkdirSync(folder);
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'js-redis-server', version }));
  writeFileSync(join(folder, 'index.js'), '');
}

/** The error's message in a project with all packages of ours but js-redis-server, which `install` may put there. */
async function errorWithServer(install: (modules: string) => void): Promise<string> {
  assertBuilt();
  const folder = mkdtempSync(join(tmpdir(), 'nestjs-rq-other-server-'));
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
    install(modules);
    cpSync(program, join(folder, 'program.mjs'));

    const script = pathToFileURL(join(folder, 'program.mjs'));
    const { error } = await whatSays(startChild(script, { cwd: folder }));
    expect(error).toMatchObject({ name: 'EmbeddedRedisError', code: 'RQ_EMBEDDED_REDIS' });
    return error!.message;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

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
