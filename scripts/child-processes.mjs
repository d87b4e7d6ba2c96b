// Starts child processes for the scripts, the benchmarks and the tests, and ends them with their parent.
// A child is ended at the end of the work, after a failure and after Ctrl-C, and (on Unix) even when the
// parent itself is killed with SIGKILL.
// On Unix each child leads a process group of its own, so that its own children are reached too and
// Ctrl-C in a terminal reaches only us: we end the children in order, the application before its Redis.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';

const isWindows = process.platform === 'win32';

/** Children that have not ended yet, oldest first. */
const running = new Set();

// Within Jest this event never comes: there the shells of `killWhenWeDie` do all of it.
process.once('exit', () => {
  for (const child of running) sendSignal(child, 'SIGKILL');
});

/** A command that ended with something else than exit code 0, or not in time. */
export class CommandFailed extends Error {
  /** @param problem in one line: 'npm ci ended with exit code 1' */
  constructor(problem, end) {
    const output = end.stdout + end.stderr;
    super(output === '' ? problem : `${problem}:\n${output}`);
    this.name = 'CommandFailed';
    this.problem = problem;
    this.end = end;
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

/** Starts a program of Node's that talks with us: `child.send(...)`, `child.on('message', ...)`. */
export function startNode(script, args = [], options = {}) {
  const { execArgv = [], output = 'pipe', env, cwd } = options;
  return start(process.execPath, [...execArgv, script, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', output, output, 'ipc'],
  });
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

/** Whether a child has ended, by itself or by a signal. */
export function hasEnded(child) {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Waits for a child's end: `{ code, signal }`. Rejects if it could not be started. */
export async function ended(child) {
  if (!hasEnded(child)) await once(child, 'close');
  return { code: child.exitCode, signal: child.signalCode };
}

/**
 * Runs a command to its end, whatever its exit code, and gives `{ code, signal, stdout, stderr }`. What
 * it has left behind is ended then. `what` names it in errors, `env` adds to our environment, and with
 * `show` the output goes to the terminal as it comes. Throws CommandFailed after `timeLimit` seconds.
 */
export async function runToEnd(command, args, options = {}) {
  const { what = command, show = false, timeLimit, env, ...others } = options;
  const child = start(command, args, {
    ...others,
    env: { ...process.env, ...env },
    stdio: show ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
  });
  const output = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr']) {
    child[name]?.setEncoding('utf8').on('data', (text) => (output[name] += text));
  }
  child.once('exit', () => sendSignal(child, 'SIGKILL'));
  let isLate = false;
  const onLate = () => {
    isLate = true;
    sendSignal(child, 'SIGKILL');
  };
  const timer = timeLimit === undefined ? undefined : setTimeout(onLate, timeLimit * 1000);
  const end = { ...(await ended(child).finally(() => clearTimeout(timer))), ...output };
  if (isLate) throw new CommandFailed(`${what} did not end within ${timeLimit} s`, end);
  return end;
}

/** Runs a command that must succeed, and gives its standard output. Throws CommandFailed. */
export async function run(command, args, options = {}) {
  const end = await runToEnd(command, args, options);
  if (end.code === 0) return end.stdout;
  const how = end.signal ? `signal ${end.signal}` : `exit code ${end.code}`;
  throw new CommandFailed(`${options.what ?? command} ended with ${how}`, end);
}

/** `run` for npm: the very npm that runs this program, or the one on PATH. */
export function runNpm(args, options) {
  const cli = process.env.npm_execpath;
  const settings = { what: `npm ${args.join(' ')}`, ...options };
  return cli?.endsWith('.js')
    ? run(process.execPath, [cli, ...args], settings)
    : run('npm', args, { ...settings, shell: isWindows });
}

/** Asks a child to end with `signal`, insists after `grace` seconds, and ends what it has left behind. */
export async function end(child, { signal = 'SIGTERM', grace = 5 } = {}) {
  if (!running.has(child)) return;
  const insist = setTimeout(() => sendSignal(child, 'SIGKILL'), grace * 1000);
  const exited = once(child, 'exit');
  sendSignal(child, signal);
  await exited;
  clearTimeout(insist);
  sendSignal(child, 'SIGKILL');
}

/** Ends all that is still running, the youngest first: what uses a service before the service. */
export async function endAll({ grace = 5 } = {}) {
  for (const child of [...running].reverse()) await end(child, { grace });
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
