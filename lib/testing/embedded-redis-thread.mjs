// @ts-check
/**
 * The thread of EmbeddedRedis (see embedded-redis.ts): plain JavaScript, since a thread is started from a file. It
 * opens a server whenever it is asked to, and its clock is ahead of the real one by as much as the main thread says.
 */
import { Server } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

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

async function open() {
  const { createRedisServer } = await import('js-redis-server');
  const { port } = await createRedisServer({ compatibility: 'redis-7.0' });
  return port;
}

/** @param {any} error */
function problemOf(error) {
  const message = String(error?.message ?? error);
  const isMissing = error?.code === 'ERR_MODULE_NOT_FOUND' && message.includes("'js-redis-server'");
  return { isMissing, message };
}
