import { expect } from '@jest/globals';
import { type RqMatchers, rqMatchers } from './matchers.js';

/**
 * For Jest: makes `toHaveEnqueued` known to `expect` as soon as this is imported.
 * Import it in a test file, or name it in `setupFilesAfterEnv`. It brings the types for `expect` from `@jest/globals` and for the global one.
 */
expect.extend(rqMatchers);

declare module 'expect' {
  interface Matchers<R extends void | Promise<void>, T = unknown> extends RqMatchers {}
}

declare global {
  // The way to add a matcher to @types/jest.
  // oxlint-disable-next-line typescript/no-namespace
  namespace jest {
    interface Matchers<R, T = {}> extends RqMatchers {}
  }
}
