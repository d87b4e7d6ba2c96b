// Everything that the scripts of this folder start is ended with them: at the end of the work, after
// a failure and after Ctrl-C, and (on Unix) even when the script itself is killed with SIGKILL.
// On Unix each child leads a process group of its own, so that its own children are reached too and
// Ctrl-C in a terminal reaches only us: we end the children in order, the application before its Redis.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

const isWindows = process.platform === 'win32';

/** Children that have not ended yet, oldest first. */
const running = new Set();

process.once('exit', () => {
  for (const child of running) sendSignal(child, 'SIGKILL');
});

/** A command that ended with something else than exit code 0. */
export class CommandFailed extends Error {
  constructor(what, { code, signal, output }) {
    super(`${what} ended with ${signal ? `signal ${signal}` : `exit code ${code}`}`);
    this.name = 'CommandFailed';
    this.output = output;
  }
}

/** Starts a child process; arguments and options are those of `spawn`. */
export function start(command, args, options = {}) {
  const child = spawn(command, args, { ...options, detached: !isWindows });
  running.add(child);
  const sentinel = killWhenWeDie(child);
  const forget = () => {
    running.delete(child);
    sentinel?.kill('SIGKILL');
  };
  child.once('error', forget);
  child.once('exit', forget);
  return child;
}

/** A shell that reads a pipe held open by us alone: it gets to the `kill` only when we are gone. */
function killWhenWeDie(child) {
  if (isWindows || child.pid === undefined) return undefined;
  const script = 'read -r _; kill -s KILL -- "-$1" 2>/dev/null';
  const sentinel = spawn('sh', ['-c', script, 'sh', String(child.pid)], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  sentinel.on('error', () => {});
  sentinel.stdin.on('error', () => {});
  sentinel.stdin.unref();
  sentinel.unref();
  return sentinel;
}

function sendSignal(child, signal) {
  if (child.pid === undefined) return;
  try {
    if (isWindows) child.kill(signal);
    else process.kill(-child.pid, signal);
  } catch {
    // The whole group has ended already.
  }
}

/** Waits for a child's end: `{ code, signal }`. Rejects if it could not be started. */
export async function ended(child) {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode };
}

/**
 * Runs a command to its end and gives its output. With `show: true` the output goes to the terminal
 * as it comes instead. `timeLimit` is in seconds. Throws CommandFailed.
 */
export async function run(command, args, { what = command, show = false, timeLimit, ...options }) {
  const child = start(command, args, {
    ...options,
    stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => (output += text));
  }
  let timer;
  if (timeLimit !== undefined) {
    timer = setTimeout(() => sendSignal(child, 'SIGKILL'), timeLimit * 1000);
  }
  const end = await ended(child).finally(() => clearTimeout(timer));
  if (end.code !== 0) throw new CommandFailed(what, { ...end, output });
  return output;
}

/** `run` for npm: the very npm that runs this script, or the one on PATH. */
export function runNpm(args, options) {
  const cli = process.env.npm_execpath;
  const settings = { what: `npm ${args.join(' ')}`, ...options };
  return cli?.endsWith('.js')
    ? run(process.execPath, [cli, ...args], settings)
    : run('npm', args, { ...settings, shell: isWindows });
}

/** Asks a child to end, and insists after `grace` seconds. */
async function end(child, grace) {
  if (!running.has(child)) return;
  const insist = setTimeout(() => sendSignal(child, 'SIGKILL'), grace * 1000);
  sendSignal(child, 'SIGTERM');
  await once(child, 'exit');
  clearTimeout(insist);
  sendSignal(child, 'SIGKILL'); // What the child itself has left behind.
}

/** Ends all that is still running, the youngest first: what uses a service before the service. */
export async function endAll({ grace = 5 } = {}) {
  for (const child of [...running].reverse()) await end(child, grace);
}

/**
 * On Ctrl-C and the like: ends all children in order, then this process with the shell's usual exit
 * code (130 for Ctrl-C). Gives a function that tells whether that has begun.
 */
export function endAllOnSignals(options) {
  let interrupted = false;
  const interrupt = (signal) => {
    if (interrupted) return;
    interrupted = true;
    void endAll(options).finally(() => process.exit(128 + constants.signals[signal]));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
  whenNpmIsKilled(() => interrupt('SIGTERM'));
  return () => interrupted;
}

/** `kill` of an npm reaches its shell, but not what that shell runs: then we have a new parent. */
function whenNpmIsKilled(react) {
  if (isWindows || process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && react(), 500).unref();
}
