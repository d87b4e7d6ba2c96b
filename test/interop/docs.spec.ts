import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { jest } from '@jest/globals';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { type RedisServer, startRedis } from '../support/redis-server.js';
import { PythonRq, describeInterop } from './python-rq.js';

jest.setTimeout(90_000);

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What the module of the example exports. */
interface Example {
  AppModule: Type;
  Thumbnails: Type<{ make(path: string): Promise<string> }>;
}

/** The example of docs/python.md is run as it is printed there. */
describeInterop('the example of docs/python.md', () => {
  const blocks = new Map<string, string>();
  let redis: RedisServer;
  let folder: string;
  let python: PythonRq;
  let example: Example;
  let app: INestApplicationContext;

  beforeAll(async () => {
    const text = await readFile(join(ROOT, 'docs/python.md'), 'utf8');
    for (const [, title, code] of text.matchAll(/^```\w+ title="([^"]+)"\n([^]*?)^```$/gm)) {
      blocks.set(title!, code!);
    }
    // Inside the checkout, where the packages are found.
    await mkdir(join(ROOT, '.cache'), { recursive: true });
    folder = await mkdtemp(join(ROOT, '.cache/docs-python-'));
    for (const [title, code] of blocks) await writeFile(join(folder, title), code);
    redis = await startRedis();
    python = new PythonRq(redis.url, folder);
    process.env['REDIS_URL'] = redis.url;
    example = (await import(pathToFileURL(join(folder, 'app.module.ts')).href)) as Example;
    app = await Test.createTestingModule({ imports: [example.AppModule] }).compile();
    await app.init();
  });

  afterAll(async () => {
    delete process.env['REDIS_URL'];
    await app?.close();
    await python?.close();
    await redis?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  const block = (title: string) => {
    const code = blocks.get(title);
    if (code === undefined) throw new Error(`docs/python.md has no block ${title}`);
    return code;
  };

  it('Python sends, Nest runs', async () => {
    expect(await python.program(join(folder, 'send.py'))).toBe(block('output'));
  });

  it('Nest sends, Python runs', async () => {
    const command = block('worker').trim().replace('$REDIS_URL', redis.url).split(' ');
    expect(command.slice(0, 2)).toEqual(['rq', 'worker']);
    await python.worker(command.at(-1)!, { args: command.slice(2, -1), json: false });
    expect(await app.get(example.Thumbnails).make('cat.png')).toBe('cat.png at 200 pixels');
  });
});
