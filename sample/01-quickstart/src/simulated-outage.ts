// Stands for the outside world of a real project, which is now and then out of order.
import { setTimeout as pause } from 'node:timers/promises';

/** Takes a moment, as real work does, and fails on the first `failures` attempts. */
export async function simulateOutage(failures = 0, attempt: number, message: string) {
  await pause(300);
  if (attempt <= failures) throw new Error(message);
}
