// Tests about killed processes need processes to kill: this starts a `.mjs` script, receives what it
// says with `process.send(...)`, and ends it. Such a script cannot go through jest's TypeScript
// transform, so it imports the built package from dist/ (`import { ... } from 'nestjs-rq'`).
import type { ChildProcess } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { hasEnded, startNode, type ExitStatus } from '../../scripts/child-processes.mjs';
import { bundledScript } from './bundled-script.js';
import { within, type WaitOptions } from './wait.js';

export interface StartChildOptions {
  /** Arguments of the script, in its `process.argv` from index 2 on. */
  args?: string[];
  /** Environment variables, in addition to those of this process. */
  env?: Record<string, string>;
  /** Its working directory; by default that of this process. */
  cwd?: string;
  /** Whether dist/ has to be up to date, as for everything that imports nestjs-rq. True by default. */
  needsBuild?: boolean;
  /** It imports parts of dist/ and nothing of Nest: as one file it starts quickly. False by default. */
  usesEngine?: boolean;
}

export type { ExitStatus };

/**
 * Starts a script: `startChild(new URL('./worker.mjs', import.meta.url), { env: { REDIS_URL: url } })`.
 */
export function startChild(
  script: URL,
  { args = [], env = {}, cwd, needsBuild = true, usesEngine = false }: StartChildOptions = {},
): Child {
  if (needsBuild) assertBuilt();
  const path = fileURLToPath(script);
  const program = usesEngine ? bundledScript(path) : path;
  return new Child(path, startNode(program, args, { env, cwd }));
}

/** A running script. */
export class Child {
  /** All messages so far, oldest first. */
  readonly messages: unknown[] = [];
  /** Settled when the script has ended. */
  readonly exited: Promise<ExitStatus>;
  private text = '';
  private readonly listeners = new Set<() => void>();

  constructor(
    private readonly path: string,
    private readonly child: ChildProcess,
  ) {
    child.on('message', (message) => {
      this.messages.push(message);
      this.changed();
    });
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.text += text));
    }
    this.exited = new Promise((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => {
        resolve({ code, signal });
        this.changed();
      });
    });
    this.exited.catch(() => {});
  }

  get pid(): number {
    if (this.child.pid === undefined) throw new Error(`${this.path} could not be started`);
    return this.child.pid;
  }

  /** What the script wrote to its standard output and error. */
  get output(): string {
    return this.text;
  }

  /**
   * Waits for a message that `matches` accepts (also one that has come already) and gives it. Fails
   * after the deadline, and at once when the script ends without it; both show the script's output.
   */
  async waitFor<T>(
    matches: (message: T) => boolean,
    { what, timeout }: Pick<WaitOptions, 'what' | 'timeout'>,
  ): Promise<T> {
    let stopListening = () => {};
    const found = new Promise<T>((resolve, reject) => {
      const look = () => {
        const message = (this.messages as T[]).find(matches);
        if (message !== undefined) resolve(message);
        else if (hasEnded(this.child)) reject(new Error(`${this.path} ended without ${what}`));
      };
      this.listeners.add(look);
      stopListening = () => this.listeners.delete(look);
      look();
    });
    try {
      return await within(found, { what, timeout });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new Error(`${reason}\nOutput of ${this.path}:\n${this.text}`, { cause: error });
    } finally {
      stopListening();
    }
  }

  /** Sends a message to the script (`process.on('message', ...)` there). */
  send(message: object): void {
    this.child.send(message);
  }

  /** Sends a signal, SIGKILL by default, and waits for the end. Harmless if it has ended already. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<ExitStatus> {
    this.child.kill(signal);
    return within(this.exited, { what: `${this.path} to end after ${signal}` });
  }

  private changed(): void {
    for (const listener of this.listeners) listener();
  }
}

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Throws unless dist/ has been built from lib/ as it is now. */
export function assertBuilt(): void {
  const remedy = 'run "npm run build" first';
  const built = join(root, 'dist/index.js');
  if (!existsSync(built)) throw new Error(`dist/ is missing: ${remedy}`);
  const time = statSync(built).mtimeMs;
  for (const name of readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })) {
    const source = join(root, 'lib', name);
    if (/\.(ts|mjs|lua)$/.test(name) && statSync(source).mtimeMs > time) {
      throw new Error(`dist/ is older than lib/${name}: ${remedy}`);
    }
  }
}
