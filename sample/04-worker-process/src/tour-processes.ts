// The processes of the tour; a real project leaves them to its process manager.
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

export interface TourProcess {
  readonly name: string;
  /** Sends a signal and waits for the end. */
  end(signal: NodeJS.Signals): Promise<void>;
}

const running = new Set<ChildProcess>();

process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts one of the programs beside this file, and shows what it says. */
export function startProcess(name: string, file: string, env: Record<string, string>): TourProcess {
  const program = fileURLToPath(new URL(file, import.meta.url));
  const child = fork(program, { env: { ...process.env, NO_COLOR: '1', ...env }, silent: true });
  running.add(child);
  child.once('exit', (code, signal) => {
    running.delete(child);
    console.log(`[${name}] has ended with ${signal ?? `exit code ${code}`}`);
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface(stream).on('line', show);
  }
  return { name, end: (signal) => end(child, signal) };
}

/** All that is still running. */
export async function endAllProcesses(): Promise<void> {
  await Promise.all([...running].map((child) => end(child, 'SIGTERM')));
}

/** A port that nobody listens on right now. */
export async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as AddressInfo;
  probe.close();
  await once(probe, 'close');
  return port;
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (!running.has(child)) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** What Nest itself says about its start is left out: there are four processes. */
function show(line: string) {
  if (!/\[(NestFactory|InstanceLoader|RoutesResolver|RouterExplorer)\]/.test(line)) {
    console.log(line);
  }
}
