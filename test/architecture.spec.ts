// The floors of lib/ (docs/architecture.md), checked over the import statements: a room knows only the
// rooms below it, and the engine can be read, tested and benchmarked without Nest.
import { describe, expect, it } from '@jest/globals';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** Ground floor first. `lib` is the files at the top of lib/: the module and the public names. */
const FLOORS = [
  'time',
  'job',
  'schedule',
  'wire',
  'redis',
  'store',
  'queue',
  'worker',
  'observe',
  'nest',
  'lib',
];

/** Rooms within rooms, lowest first; files that stand beside them are above all, but for those named here. */
const SUB_FLOORS: Record<string, readonly string[]> = {
  store: [
    'alert-store.ts',
    'desk-store.ts',
    'figure-store.ts',
    'watcher-store.ts',
    'schedule-store.ts',
    'group-store.ts',
    'limit-store.ts',
    'replicated-store.ts',
    'worker-register.ts',
    'job-store.ts',
    'scripts',
    'rights.ts',
  ],
  worker: ['report', 'run', 'serve', 'upkeep'],
  dashboard: ['server', 'ui', 'nest'],
  nest: [
    'nest-internals.ts',
    'tokens.ts',
    'log-lines.ts',
    'log-fields.ts',
    'problems.ts',
    'rq-logger.ts',
    'discovery',
    'options',
    'queues',
    'handlers',
    'listeners',
    'schedules',
    'alerts',
    'root',
    'health',
    'metrics',
    'decorators',
  ],
};

/** Entry points of their own: they use the public names, and nothing uses them. */
const ENTRY_POINTS = ['bull-board', 'dashboard', 'testing', 'cli', 'metrics', 'opentelemetry'];

/** What an entry point may use in place of the public names: the command line and the dashboard's server know no Nest. */
const OWN_DOORS: Record<string, readonly string[]> = {
  'bull-board': ['observe/index.js', 'dashboard/server/redaction.js'],
  cli: ['observe/index.js', 'dashboard/server/index.js'],
  'dashboard/server': ['observe/index.js'],
  // The page is compiled for the browser: of the library it knows the types of answers.
  'dashboard/ui': [],
  metrics: ['nest/metrics/rq-metrics.module.js'],
};

/** Entry points that hold the reins of an application and look into every room for that; nothing uses them either. */
const TOP_FLOOR = ['testing'];

/** Rooms that never import Nest. */
const ENGINE = ['time', 'job', 'schedule', 'wire', 'redis', 'store', 'queue', 'worker', 'observe'];

/** Rooms without I/O. */
const PURE = ['job', 'schedule', 'wire'];

/** All of Node that a room without I/O has a use for. */
const PURE_MODULES = /^node:(assert|buffer|crypto|util|zlib)(\/|$)/;

/** Packages without I/O, each known in one file alone. */
const PURE_PACKAGES: Record<string, string> = { croner: 'schedule/grid.ts' };

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
/** Written by scripts/compile.mjs, out of sources that are looked at themselves. */
const MADE = [
  'redis/lease-guard-program.ts',
  'store/scripts/compiled.ts',
  'dashboard/server/built-assets.ts',
];
const sources = names
  .filter((name) => /\.(tsx?|mjs)$/.test(name) && !MADE.includes(name))
  .map(read);

describe('the rooms of lib/', () => {
  it('have source files to look at', () => {
    expect(sources.length).toBeGreaterThan(0);
  });

  it('know only the rooms below them', () => {
    expect(sources.flatMap(wrongImports)).toEqual([]);
  });

  it.each([
    ['job/retry-policy.ts', `import { Script } from '../redis/script.js';`],
    ['wire/call.ts', `import { Script } from '../redis/script.js';`],
    ['wire/call.ts', `import { Redis } from 'ioredis';`],
    ['worker/run/execution.ts', `import { Quarantine } from '../serve/quarantine.js';`],
    ['worker/report/job-reporter.ts', `import { Worker } from '../worker.js';`],
    ['nest/handlers/apply-enhancers.ts', `import { RqRoot } from '../root/rq-root.js';`],
    ['job/names.ts', `export * from 'ioredis';`],
    ['queue/queue.ts', `import { Cron } from 'croner';`],
    ['schedule/when.ts', `import { Cron } from 'croner';`],
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
    ['cli/terminal.ts', `import { RqModule } from '../index.js';`],
    ['cli/terminal.ts', `import { RedisJobStore } from '../store/index.js';`],
    ['helpers/anything.ts', ''],
  ])('would not allow in lib/%s: %s', (path, text) => {
    expect(wrongImports({ path, text })).toHaveLength(1);
  });

  it.each([
    ['worker/serve/slots.ts', `import type { Settlement } from '../report/settlement.js';`],
    ['worker/run/running-job.ts', `import { RqJob } from '../../queue/rq-job.js';`],
    ['job/job-options.ts', `import { randomUUID } from 'node:crypto';`],
    ['nest/rq.service.ts', `import { Injectable } from '@nestjs/common';`],
    ['dashboard/page.ts', `import { Queue } from '../index.js';`],
    ['cli/terminal.ts', `import type { RqInspector } from '../observe/index.js';`],
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

describe("Nest's private side", () => {
  it('is touched in nest-internals.ts alone', () => {
    const deep = /^@nestjs\/[^/]+\/.+/;
    const touching = sources.filter(({ text }) => importsOf(text).some((name) => deep.test(name)));
    expect(touching.map(({ path }) => path)).toEqual(['nest/nest-internals.ts']);
  });

  it('is not called by the keys of its metadata anywhere else', () => {
    const keys =
      /__(routeArguments|entryProvider|guards|interceptors|pipes|exceptionFilters)__|\.container\b|transformToResult/;
    const touching = sources.filter(({ text }) => keys.test(text));
    expect(touching.map(({ path }) => path)).toEqual(['nest/nest-internals.ts']);
  });
});

describe('what an operator reads', () => {
  it('is worded in the log-lines.ts or troubles.ts of a room, never where it is told', () => {
    const worded = /\b(problem|problemSolved|warn|log|push)\(\s*['"`][^'"`]* [^'"`]* /;
    const wording = sources.filter(({ path, text }) => {
      return ['redis', 'store', 'worker', 'nest'].includes(roomOf(path)) && worded.test(text);
    });
    expect(wording.map(({ path }) => path)).toEqual([]);
  });
});

describe('timers', () => {
  it('are set in lib/time alone, which knows times that setTimeout does not', () => {
    const timers = /\b(setTimeout|setInterval)\(/;
    // A page has the timers of its browser.
    const isOurs = (path: string) => !path.endsWith('.mjs') && !path.startsWith('dashboard/ui/');
    const setters = sources.filter(({ path, text }) => isOurs(path) && timers.test(text));
    expect(setters.map(({ path }) => path)).toEqual(['time/timer.ts']);
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

  it('call their keys and arguments by name', () => {
    const numbered = names
      .filter((name) => /^store\/scripts\/.+\.lua$/.test(name))
      .map(read)
      .filter(({ text }) => /\b(KEYS|ARGV)\[\d+\]/.test(text));
    expect(numbered.map(({ path }) => path)).toEqual([]);
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
  if (!name.startsWith('.')) return isAllowedPackage(room, path, name);

  const target = posix.normalize(posix.join(dirname(path), name));
  if (target.startsWith('..')) return false;
  const targetRoom = roomOf(target);
  if (targetRoom === room) return isWithinFloors(room, path, target);
  if (TOP_FLOOR.includes(room)) return FLOORS.includes(targetRoom);
  if (ENTRY_POINTS.includes(room)) {
    const part = path.split('/').slice(0, 2).join('/');
    return (OWN_DOORS[part] ?? OWN_DOORS[room] ?? ['index.js']).includes(target);
  }
  return FLOORS.includes(targetRoom) && FLOORS.indexOf(targetRoom) < FLOORS.indexOf(room);
}

/** Inside a room with sub-rooms: downward too. */
function isWithinFloors(room: string, path: string, target: string): boolean {
  const floors = SUB_FLOORS[room];
  if (!floors) return true;
  const floorOf = (file: string) => {
    const part = String(file.split('/')[1]).replace(/\.js$/, '.ts');
    const floor = floors.indexOf(part);
    return floor === -1 ? floors.length : floor;
  };
  return floorOf(target) <= floorOf(path);
}

function isAllowedPackage(room: string, path: string, name: string): boolean {
  if (name in PURE_PACKAGES) return PURE_PACKAGES[name] === path;
  if (PURE.includes(room)) return PURE_MODULES.test(name);
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
