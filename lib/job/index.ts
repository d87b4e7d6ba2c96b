/** The vocabulary of jobs: options, retries, signals, outcomes, errors. No I/O, nothing of Redis, nothing of Nest. */
export * from './duration.js';
export * from './enqueue-errors.js';
export * from './errors.js';
export * from './failure-reason.js';
export * from './job-event.js';
export * from './job-options.js';
export * from './job-status.js';
export * from './names.js';
export * from './option-checks.js';
export * from './outcome.js';
export * from './redis-errors.js';
export * from './retry-decision.js';
export * from './retry-policy.js';
export * from './signals.js';
