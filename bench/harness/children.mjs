// Child processes and their messages. Each measured side runs in a process of its own, so that its CPU time, memory and
// garbage collection are its own; the harness only asks and listens.

import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { end, hasEnded, startNode } from '../../scripts/child-processes.mjs';

/** A child that answers requests: `ask({ ... })` resolves with the reply that carries the same number. */
export class Child {
  #process;
  #pending = new Map();
  #number = 0;

  /** @param {string} file relative to `bench/` */
  static start(file, args = [], execArgv = ['--expose-gc']) {
    return new Child(file, args, execArgv);
  }

  constructor(file, args, execArgv) {
    this.#process = startNode(
      fileURLToPath(new URL(`../${file}`, import.meta.url)),
      args.map((argument) => String(argument)),
      { execArgv, output: 'inherit' },
    );
    this.#process.on('message', ({ number, error, ...reply }) => {
      const request = this.#pending.get(number);
      this.#pending.delete(number);
      if (error) request?.reject(new Error(error));
      else request?.resolve(reply);
    });
    this.#process.once('exit', (code, signal) => {
      for (const { reject } of this.#pending.values()) {
        reject(new Error(`the child process ended (${signal ?? code})`));
      }
      this.#pending.clear();
    });
  }

  get exited() {
    return hasEnded(this.#process);
  }

  /** Rejects with the child's error, when the child ends, or after `deadline` milliseconds (then it is killed). */
  ask(message, deadline = 180_000) {
    const number = ++this.#number;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.kill();
        reject(new Error(`no answer within ${deadline / 1000} seconds`));
      }, deadline);
      const settle = (finish) => (value) => {
        clearTimeout(timer);
        finish(value);
      };
      this.#pending.set(number, { resolve: settle(resolve), reject: settle(reject) });
      this.#process.send({ number, ...message });
    });
  }

  /** Lets the child end by itself, which writes its profile if it has one. */
  async end() {
    if (this.exited) return;
    // Not 'close', which never comes after a disconnect() of ours.
    const exited = once(this.#process, 'exit');
    this.#process.disconnect();
    const timer = setTimeout(() => this.kill(), 10_000);
    await exited;
    clearTimeout(timer);
  }

  kill() {
    this.#process.kill('SIGKILL');
  }
}

/** In the child: answers each request with what `handle` gives, or with the error's message. */
export function answer(handle) {
  const reply = async ({ number, ...message }) => {
    try {
      process.send({ number, ...(await handle(message)) });
    } catch (error) {
      process.send({ number, error: error instanceof Error ? describe(error) : String(error) });
    }
  };
  process.on('message', (request) => void reply(request));
  process.once('disconnect', () => process.exit());
}

function describe(error) {
  return error.name === 'VoidRun' ? error.message : (error.stack ?? error.message);
}

/** Starts the proxy that adds `milliseconds` each way in front of a port. */
export async function startDelayProxy(target, milliseconds) {
  const proxy = startNode(
    fileURLToPath(new URL('../delay-proxy.mjs', import.meta.url)),
    [String(target), String(milliseconds)],
    { output: 'inherit' },
  );
  const { port } = await new Promise((resolve, reject) => {
    proxy.once('message', resolve);
    proxy.once('exit', () => reject(new Error('the delay proxy ended')));
  });
  return { port, stop: () => end(proxy) };
}
