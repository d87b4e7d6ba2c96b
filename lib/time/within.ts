import { after } from './timer.js';

/**
 * Waits for the work, but no longer than that, and tells whether it ended. What it throws is of no interest any more.
 */
export function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = after(milliseconds, () => resolve(false));
    const finish = () => {
      timer.cancel();
      resolve(true);
    };
    work.then(finish, finish);
  });
}
