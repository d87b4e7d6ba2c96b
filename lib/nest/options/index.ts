export {
  type AsyncRecipe,
  type AsyncSource,
  type RegisterQueueAsyncOptions,
  type RqFactoryOptions,
  type RqModuleAsyncOptions,
  type RqOptionsFactory,
  type RqQueueOptionsFactory,
  readAsyncSource,
} from './async-options.js';
export type { JobContext, JobContextOptions } from './context-options.js';
export { ENHANCER_METHODS, type JobEnhancers, assertEnhancer } from './enhancer-options.js';
export {
  type RegisterQueueOptions,
  type RqQueueOptions,
  readQueueOptions,
  readRegisterQueueOptions,
} from './queue-options.js';
export { type RootOptions, readRootOptions } from './read-root-options.js';
export type { RqModuleOptions, RqWorkerOptions } from './root-options.js';
