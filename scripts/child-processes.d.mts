// The types of child-processes.mjs, for the tests, which are written in TypeScript.
import type { ChildProcess, SpawnOptions } from 'node:child_process';

export interface ExitStatus {
  code: number | null;
  signal: NodeJS.Signals | null;
}

export interface CommandEnd extends ExitStatus {
  stdout: string;
  stderr: string;
}

export interface CommandOptions {
  /** What runs, for error messages: 'npm install'. The command by default. */
  what?: string;
  cwd?: string;
  /** Environment variables, in addition to those of this process. */
  env?: Record<string, string>;
  /** Shows the output as it comes, in place of giving it back. */
  show?: boolean;
  /** Seconds until the command, and all that it started, is killed; unlimited by default. */
  timeLimit?: number;
}

export interface StartNodeOptions {
  /** Options of Node itself: `['--expose-gc']`. */
  execArgv?: readonly string[];
  /** Where standard output and error go; 'pipe' by default. */
  output?: 'pipe' | 'inherit' | 'ignore';
  cwd?: string;
  /** Environment variables, in addition to those of this process. */
  env?: Record<string, string>;
}

export class CommandFailed extends Error {
  readonly problem: string;
  readonly output: string;
  readonly end: CommandEnd;
}

export function start(
  command: string,
  args: readonly string[],
  options?: SpawnOptions,
): ChildProcess;
export function startNode(
  script: string,
  args?: readonly string[],
  options?: StartNodeOptions,
): ChildProcess;
export function hasEnded(child: ChildProcess): boolean;
export function ended(child: ChildProcess): Promise<ExitStatus>;
export function runToEnd(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<CommandEnd>;
export function run(
  command: string,
  args: readonly string[],
  options?: CommandOptions,
): Promise<string>;
export function runNpm(args: readonly string[], options?: CommandOptions): Promise<string>;
export function end(
  child: ChildProcess,
  options?: { signal?: NodeJS.Signals; grace?: number },
): Promise<void>;
export function endAll(options?: { grace?: number }): Promise<void>;
export function endAllOnSignals(options?: { grace?: number }): () => boolean;
