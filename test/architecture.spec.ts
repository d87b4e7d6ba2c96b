// The floors of lib/ (docs/architecture.md), checked over the import statements: a room knows only the
// rooms below it, and the engine can be read, tested and benchmarked without Nest.
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Ground floor first. `lib` is the files at the top of lib/: the module and the public names. */
const FLOORS = ['job', 'store', 'queue', 'worker', 'observe', 'nest', 'lib'];

/** Entry points of their own: they use the public names, and nothing uses them. */
const ENTRY_POINTS = ['dashboard', 'testing', 'cli'];

/** Entry points that hold the reins of an application and look into every room for that; nothing uses them either. */
const TOP_FLOOR = ['testing'];

/** Rooms that never import Nest. */
const ENGINE = ['job', 'store', 'queue', 'worker'];

/** What a room without I/O has no use for. Node's pure modules (util, crypto, buffer) are fine. */
const PURE_MODULES = /^node:(assert|buffer|crypto|util)(\/|$)/;

const MAXIMUM_LINES = 400;

interface SourceFile {
  /** Below lib/, with slashes: 'store/keyspace.ts'. */
  path: string;
  text: string;
}

const lib = fileURLToPath(new URL('../lib', import.meta.url));
const names = readdirSync(lib, { recursive: true, encoding: 'utf8' }).map((name) =>
  name.split(sep).join('/'),
);
const read = (path: string): SourceFile => ({ path, text: readFileSync(join(lib, path), 'utf8') });
const sources = names.filter((name) => /\.(ts|mjs)$/.test(name)).map(read);

describe('the rooms of lib/', () => {
  it('have source files to look at', () => {
    expect(sources.length).toBeGreaterThan(0);
  });

  it('know only the rooms below them', () => {
    expect(sources.flatMap(wrongImports)).toEqual([]);
  });

  it.each([
    ['job/retry-policy.ts', `import { Script } from '../store/script.js';`],
    ['job/names.ts', `export * from 'ioredis';`],
    ['job/names.ts', `import { readFile } from 'node:fs/promises';`],
    ['queue/queue.ts', `export * from '../worker/worker.js';`],
    ['store/job-store.ts', `const late = import('../queue/index.js');`],
    ['worker/worker.ts', `import { Logger } from '@nestjs/common';`],
    ['worker/worker.ts', `import type { RqModule } from '../index.js';`],
    ['nest/tokens.ts', `import { RqModule } from '../rq.module.js';`],
    ['dashboard/page.ts', `import { Queue } from '../queue/queue.js';`],
    ['testing/drain.ts', `import { Page } from '../dashboard/page.js';`],
    ['nest/rq-root.ts', `import { Drain } from '../testing/drain.js';`],
    ['dashboard/page.ts', `import { RqTesting } from '../testing/index.js';`],
    ['index.ts', `export * from './dashboard/index.js';`],
    ['helpers/anything.ts', ''],
  ])('would not allow in lib/%s: %s', (path, text) => {
    expect(wrongImports({ path, text })).toHaveLength(1);
  });

  it.each([
    ['worker/running-job.ts', `import { RqJob } from '../queue/rq-job.js';`],
    ['job/job-options.ts', `import { randomUUID } from 'node:crypto';`],
    ['nest/rq.service.ts', `import { Injectable } from '@nestjs/common';`],
    ['dashboard/page.ts', `import { Queue } from '../index.js';`],
    ['testing/drain.ts', `import { RedisJobStore } from '../store/index.js';`],
    ['index.ts', `export * from './queue/index.js'; // not '../outside.js'`],
  ])('allow in lib/%s: %s', (path, text) => {
    expect(wrongImports({ path, text })).toEqual([]);
  });
});

describe('the files of lib/', () => {
  it(`have at most ${MAXIMUM_LINES} lines`, () => {
    const long = sources.filter(({ text }) => text.trimEnd().split('\n').length > MAXIMUM_LINES);
    expect(long.map(({ path }) => path)).toEqual([]);
  });

  it('are named by what they do, never utils or helpers', () => {
    const vague = /(^|[-./])(utils?|helpers?)([-./]|$)/i;
    expect(names.filter((name) => vague.test(name))).toEqual([]);
  });
});

describe('the Lua scripts', () => {
  const scripts = names.filter((name) => /^store\/scripts\/[^/]+\.lua$/.test(name)).map(read);

  it('exist', () => {
    expect(scripts.length).toBeGreaterThan(0);
  });

  it('begin with a comment that explains their KEYS and ARGV', () => {
    const unexplained = scripts.filter(({ text }) => {
      const header = leadingComment(text);
      return !header.includes('KEYS') || !header.includes('ARGV');
    });
    expect(unexplained.map(({ path }) => path)).toEqual([]);
  });
});

/** One sentence for each import of a file that it should not have. */
function wrongImports({ path, text }: SourceFile): string[] {
  const room = roomOf(path);
  if (!FLOORS.includes(room) && !ENTRY_POINTS.includes(room)) {
    return [`lib/${path}: there is no room "${room}"; add it to the floors if it belongs there`];
  }
  return importsOf(text)
    .filter((name) => !isAllowed(room, path, name))
    .map((name) => `lib/${path} must not import '${name}'`);
}

function isAllowed(room: string, path: string, name: string): boolean {
  if (!name.startsWith('.')) return isAllowedPackage(room, name);

  const target = posix.normalize(posix.join(dirname(path), name));
  if (target.startsWith('..')) return false;
  const targetRoom = roomOf(target);
  if (targetRoom === room) return true;
  if (TOP_FLOOR.includes(room)) return FLOORS.includes(targetRoom);
  if (ENTRY_POINTS.includes(room)) return target === 'index.js';
  return FLOORS.includes(targetRoom) && FLOORS.indexOf(targetRoom) < FLOORS.indexOf(room);
}

function isAllowedPackage(room: string, name: string): boolean {
  if (room === 'job') return PURE_MODULES.test(name);
  return !(ENGINE.includes(room) && name.startsWith('@nestjs/'));
}

function roomOf(path: string): string {
  return path.includes('/') ? String(path.split('/')[0]) : 'lib';
}

/** Everything a file imports or re-exports, statically or with `import(...)`, types included. */
function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function leadingComment(text: string): string {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => line.trim() !== '' && !line.startsWith('--'));
  return lines.slice(0, end === -1 ? undefined : end).join('\n');
}
