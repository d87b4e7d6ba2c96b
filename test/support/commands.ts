// Runs a command to its end and gives all that it said: for tests that look at a program from outside.
import { spawn } from 'node:child_process';
import { endsWithUs } from './ends-with-us.js';
import { within } from './wait.js';

export interface CommandOptions {
  /** What runs, for error messages: 'npm install'. */
  what: string;
  cwd?: string;
  /** Environment variables, in addition to those of this process. */
  env?: Record<string, string>;
  /** Milliseconds until the command, and all that it started, is killed; 60 seconds by default. */
  timeout?: number;
}

export interface CommandEnd {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that ended with something else than exit code 0. */
export class CommandFailed extends Error {
  constructor(
    what: string,
    readonly end: CommandEnd,
  ) {
    const how = end.signal ? `signal ${end.signal}` : `exit code ${end.code}`;
    super(`${what} ended with ${how}:\n${end.stdout}${end.stderr}`);
  }
}

/** Runs a command, whatever its exit code. */
export async function runToEnd(
  command: string,
  args: string[],
  { what, cwd, env, timeout = 60_000 }: CommandOptions,
): Promise<CommandEnd> {
  // In a process group of its own, so that what it starts itself is reached, too.
  const child = spawn(command, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  endsWithUs(child, { group: true });
  const endGroup = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // The whole group has ended already.
    }
  };
  child.once('exit', endGroup); // What the command has left behind.
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const ended = new Promise<CommandEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  try {
    return await within(ended, { what: `${what} to end`, timeout });
  } catch (error) {
    endGroup();
    throw new Error(`${what} did not come to its end:\n${stdout}${stderr}`, { cause: error });
  }
}

/** Runs a command that must succeed, and gives its standard output. @throws CommandFailed */
export async function run(
  command: string,
  args: string[],
  options: CommandOptions,
): Promise<string> {
  const end = await runToEnd(command, args, options);
  if (end.code !== 0) throw new CommandFailed(options.what, end);
  return end.stdout;
}

/** `run` for npm: the very npm that runs the tests, or the one on PATH. */
export function runNpm(args: string[], options: Partial<CommandOptions>): Promise<string> {
  const cli = process.env.npm_execpath;
  const settings = { what: `npm ${args.join(' ')}`, ...options };
  return cli?.endsWith('.js')
    ? run(process.execPath, [cli, ...args], settings)
    : run('npm', args, settings);
}
