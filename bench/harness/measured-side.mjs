// What a case's `run(side, settings)` holds: one of the two libraries, in a process of its own, against the benchmark's
// Redis. Whatever a run opens is closed when it ends, also when it fails.

import { Redis } from 'ioredis';
import { Child } from './children.mjs';
import { VoidRun } from './delivery-log.mjs';

const SETTLED_WITHIN = 30_000;

export class MeasuredSide {
  /** For looking into Redis beside the library; not what is measured. */
  redis;
  #adapter;
  #opened = [];

  /** @param {{ adapter: object, port: number, proxyPort?: number, quick: boolean }} options */
  constructor({ adapter, port, proxyPort, quick }) {
    this.#adapter = adapter;
    this.name = adapter.name;
    this.pace = adapter.pace;
    this.port = port;
    this.proxyPort = proxyPort;
    this.quick = quick;
    this.redis = new Redis({ port, host: '127.0.0.1' });
  }

  /** See `openProducer` of the adapters; `port` is Redis itself unless given. */
  async producer(options) {
    const producer = await this.#adapter.openProducer({ port: this.port, ...options });
    this.closeLater(() => producer.close());
    return producer;
  }

  /** A producer in a process of its own: what it leaves behind in memory is not the worker's to collect. */
  filler(options) {
    const settings = JSON.stringify({ port: this.port, ...options });
    const child = Child.start('harness/filler-process.mjs', [this.name, settings]);
    this.closeLater(() => child.end());
    return {
      fill: (jobs, { from = 0, large = false } = {}) =>
        child.ask({ request: 'fill', jobs, from, large }),
      pause: () => child.ask({ request: 'pause' }),
      resume: () => child.ask({ request: 'resume' }),
      ids: async () => (await child.ask({ request: 'ids' })).ids,
    };
  }

  /** See `openConsumer` of the adapters. It may be stopped earlier. */
  async consumer(options) {
    const consumer = await this.#adapter.openConsumer({ port: this.port, ...options });
    return this.stoppable(consumer);
  }

  /** Makes sure that `stop` happens, and once only. */
  stoppable(consumer) {
    let stopped;
    const stop = () => (stopped ??= consumer.stop());
    this.closeLater(stop);
    return { start: () => consumer.start(), stop };
  }

  closeLater(close) {
    this.#opened.push(close);
  }

  census(queue) {
    return this.#adapter.census(this.redis, queue);
  }

  async copyBehind(queue, id, count) {
    for (let copied = 0; copied < count; copied += 10_000) {
      const slice = Math.min(10_000, count - copied);
      await this.#adapter.copyBehind(this.redis, queue, id, `copy-${copied}-`, slice);
    }
  }

  /** The time at which nothing of the queue is waiting, running or delayed any more. */
  async settled(queue) {
    const deadline = performance.now() + SETTLED_WITHIN;
    for (;;) {
      const { waiting, running, delayed } = await this.census(queue);
      if (waiting + running + delayed === 0) return performance.now();
      if (performance.now() > deadline) {
        throw new VoidRun(
          `left behind: ${waiting} waiting, ${running} running, ${delayed} delayed`,
        );
      }
    }
  }

  /** The queue holds exactly this and nothing else. */
  async expectCensus(queue, expected) {
    const actual = await this.census(queue);
    for (const [place, count] of Object.entries(actual)) {
      const wanted = expected[place] ?? 0;
      if (count !== wanted) throw new VoidRun(`${count} jobs ${place} at the end, not ${wanted}`);
    }
  }

  collectGarbage() {
    globalThis.gc?.();
  }

  async closeAll() {
    for (const close of this.#opened.reverse()) await close();
    this.#opened = [];
  }
}
