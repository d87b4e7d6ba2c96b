/** Everything that tests of an application use: `nestjs-rq/testing`. What is not listed is internal and may change. */
export type { EnqueuedJob } from './enqueued-jobs.js';
export { DrainTimeoutError, EmbeddedRedisError } from './errors.js';
export {
  type MatcherContext,
  type MatcherResult,
  type RqMatchers,
  rqMatchers,
} from './matchers.js';
export { RqTesting } from './rq-testing.js';
export { RqTestingModule } from './rq-testing.module.js';
export type { DrainSummary } from './run-control.js';
export type { RqTestingOptions } from './testing-options.js';
