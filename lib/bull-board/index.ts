/** nestjs-rq's queues on a bull-board, beside BullMQ's: `nestjs-rq/bull-board`. What is not listed is internal and may change. */
export { RqAdapter } from './rq-adapter.js';
export type { RqAdapterOptions } from './adapter-options.js';
