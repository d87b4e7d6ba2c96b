// @ts-check
/**
 * The thread of EmbeddedRedis (see embedded-redis.ts): plain JavaScript, since a thread is started from a file. It
 * opens a server whenever it is asked to, and its clock is ahead of the real one by as much as the main thread says.
 */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Server } from 'node:net';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const PACKAGE = 'js-redis-server';

/** @type {BigInt64Array} */
const ahead = workerData.ahead;

// The one clock that the server looks at, for `TIME` as for what expires.
const realNow = Date.now;
Date.now = () => realNow() + Number(Atomics.load(ahead, 0));

// The server cannot be told where to listen, nor to send short answers at once: it would be open to the whole
// network, and each answer might wait 40 ms for the next.
const listen = Reflect.get(Server.prototype, 'listen');
Server.prototype.listen = function (...args) {
  this.on('connection', (socket) => socket.setNoDelay(true));
  return Reflect.apply(listen, this, [{ port: args[0], host: '127.0.0.1' }]);
};

parentPort?.on('message', (/** @type {{ request: number }} */ { request }) => {
  open().then(
    (port) => parentPort?.postMessage({ request, port }),
    (error) => parentPort?.postMessage({ request, problem: problemOf(error) }),
  );
});

/** What is wrong with the installed package, in the form that the main thread expects. */
class Unusable extends Error {
  /** @param {{ kind: 'missing' } | { kind: 'version', found: string }} problem */
  constructor(problem) {
    super(problem.kind);
    this.problem = problem;
  }
}

async function open() {
  const entry = entryOfPackage();
  if (entry === undefined) throw new Unusable({ kind: 'missing' });
  const found = versionOf(entry);
  if (!found.startsWith(`${workerData.line}.`)) throw new Unusable({ kind: 'version', found });
  // Not by import(), which would read all of it once more to know the names of what it exports.
  const { createRedisServer } = createRequire(entry)(entry);
  const { port } = await createRedisServer({ compatibility: 'redis-7.0' });
  return port;
}

/** Beside this library, or in the project whose tests run: there alone with package managers that keep packages apart. */
function entryOfPackage() {
  for (const place of [import.meta.url, join(process.cwd(), 'package.json')]) {
    try {
      return createRequire(place).resolve(PACKAGE);
    } catch {
      // Not from there.
    }
  }
  return undefined;
}

/** @param {string} file in the package */
function versionOf(file) {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    const manifest = join(folder, 'package.json');
    const { name, version } = existsSync(manifest)
      ? JSON.parse(readFileSync(manifest, 'utf8'))
      : {};
    if (name === PACKAGE) return String(version);
  }
  return 'unknown';
}

/** @param {any} error */
function problemOf(error) {
  if (error instanceof Unusable) return error.problem;
  return { kind: 'start', message: String(error?.message ?? error) };
}
