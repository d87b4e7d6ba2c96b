// What an application does with a call of which nobody knows whether it was carried out: it repeats it with the same id.
import { setTimeout as pause } from 'node:timers/promises';
import { type JobOptions, type Queue, type RqJob, RqConnectionError } from '../../lib/index.js';
import type { Act } from './scene.js';

/** @throws what the last call has thrown, after 10 seconds */
export async function enqueueUntilStored(
  queue: Queue,
  act: Act,
  options: JobOptions & { readonly id: string },
): Promise<RqJob> {
  const begun = performance.now();
  for (;;) {
    try {
      return await queue.enqueue('act', act, options);
    } catch (error) {
      const isOver = performance.now() - begun > 10_000;
      if (isOver || !(error instanceof RqConnectionError)) throw error;
      await pause(20);
    }
  }
}
