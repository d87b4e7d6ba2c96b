/** What is due when: expressions, grids, definitions of schedules. No I/O, nothing of Redis. */
export * from './definition.js';
export * from './due-ticks.js';
export type { Grid } from './grid.js';
export * from './rq-cron.js';
export * from './schedule-options.js';
export * from './takeover.js';
export * from './when.js';
