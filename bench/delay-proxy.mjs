// A network of its own: a TCP proxy that delivers every chunk a fixed time after it came, in both directions, without
// reordering and without joining chunks. Runs as a child process: `fork('delay-proxy.mjs', [port, milliseconds])`
// sends `{ port }` once it listens.
//
// Node's timers are whole milliseconds, which would deliver everything of one millisecond together. So a thread sleeps
// until the exact moment (a futex has microseconds) and rings; nothing spins, since the cores belong to what is measured.

import { connect, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

function startProxy(target, delay) {
  const line = new DelayLine(delay);
  const server = createServer({ noDelay: true }, (near) => {
    const far = connect({ port: target, host: '127.0.0.1', noDelay: true });
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from.on('data', (chunk) => line.push(() => to.write(chunk)));
      from.on('end', () => line.push(() => to.end()));
      from.on('error', () => to.destroy());
      from.on('close', () => line.push(() => to.destroy()));
    }
  });
  server.listen(0, '127.0.0.1', () => process.send({ port: server.address().port }));
  process.once('disconnect', () => process.exit());
}

/** Runs what is pushed `delay` milliseconds later, in order: all wait equally long, so the first in is the first due. */
class DelayLine {
  #delay;
  #waiting = [];
  #next = 0;
  #armed = false;
  #alarm = new Int32Array(new SharedArrayBuffer(4));
  #due = new Float64Array(new SharedArrayBuffer(8));

  constructor(delay) {
    this.#delay = delay;
    const clock = new Worker(fileURLToPath(import.meta.url), {
      workerData: { alarm: this.#alarm, due: this.#due },
    });
    clock.on('message', () => {
      this.#armed = false;
      this.#deliver();
    });
  }

  push(action) {
    this.#waiting.push({ due: now() + this.#delay, action });
    if (!this.#armed) this.#arm();
  }

  #deliver() {
    const time = now();
    while (this.#next < this.#waiting.length && this.#waiting[this.#next].due <= time) {
      this.#waiting[this.#next].action();
      this.#next += 1;
    }
    if (this.#next === this.#waiting.length) {
      this.#waiting = [];
      this.#next = 0;
    } else {
      this.#arm();
    }
  }

  #arm() {
    this.#armed = true;
    this.#due[0] = this.#waiting[this.#next].due;
    Atomics.store(this.#alarm, 0, 1);
    Atomics.notify(this.#alarm, 0);
  }
}

/** The thread: sleeps until it is armed, then until the due time, then rings. */
function runClock({ alarm, due }) {
  const sleep = new Int32Array(new SharedArrayBuffer(4));
  for (;;) {
    Atomics.wait(alarm, 0, 0);
    Atomics.store(alarm, 0, 0);
    const milliseconds = due[0] - now();
    if (milliseconds > 0) Atomics.wait(sleep, 0, 0, milliseconds);
    parentPort.postMessage(0);
  }
}

/** Milliseconds on a clock that both threads share. */
function now() {
  return Number(process.hrtime.bigint()) / 1e6;
}

if (isMainThread) startProxy(Number(process.argv[2]), Number(process.argv[3]));
else runClock(workerData);
