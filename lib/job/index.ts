/** The vocabulary of jobs: options, retries, signals, outcomes, errors. No I/O, nothing of Redis, nothing of Nest. */
export * from './clean-text.js';
export * from './duration.js';
export * from './errors.js';
export * from './failure-reason.js';
export * from './job-event.js';
export * from './job-selection.js';
export * from './job-options.js';
export * from './job-status.js';
export * from './names.js';
export * from './option-checks.js';
export * from './outcome.js';
export * from './redis-error.js';
export * from './retry-decision.js';
export * from './retry-policy.js';
export * from './rq-defaults.js';
export * from './short-form.js';
export * from './signals.js';
