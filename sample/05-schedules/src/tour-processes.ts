// The processes of the tour; a real project leaves them to its process manager.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface TourProcess {
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

/** The moments of all reports so far, whichever process wrote them: milliseconds since the epoch. */
export const reports: number[] = [];

const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a process of the application, and shows what it says. */
export function startProcess(name: string): TourProcess {
  const program = fileURLToPath(new URL('main.js', import.meta.url));
  const env = { NO_COLOR: '1', PROCESS_NAME: name, REPORT_EVERY: '1s', WORKER_LEASE: '1s' };
  const child = fork(program, { env: { ...process.env, ...env }, silent: true });
  running.add(child);
  child.once('exit', (code, signal) => {
    running.delete(child);
    console.log(`[${name}] has ended with ${signal ?? `exit code ${code}`}`);
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface(stream).on('line', note);
  }
  return { end: (signal) => end(child, signal) };
}

/** All that is still running. */
export async function endAllProcesses(): Promise<void> {
  await Promise.all([...running].map((child) => end(child, 'SIGTERM')));
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!running.has(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

function note(line: string) {
  const at = /report of (\S+)$/.exec(line)?.[1];
  if (at !== undefined) reports.push(Date.parse(at));
  // What Nest itself says about its start is left out.
  if (!/\[(NestFactory|InstanceLoader)\]/.test(line)) console.log(line);
}
