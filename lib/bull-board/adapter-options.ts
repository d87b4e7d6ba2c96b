import type { QueueAdapterOptions } from '@bull-board/api/dist/types.js';
import { InvalidOptionError, type RqInspector } from '../observe/index.js';

/** How a queue shows on the board: bull-board's own options, and a few of ours. */
export interface RqAdapterOptions extends Partial<QueueAdapterOptions> {
  /** Finished jobs may be run again, too. Default true, as for BullMQ's queues. */
  readonly allowCompletedRetries?: boolean;
  /** Tells what a queue does not know: its workers, the attempts of the last hours, the Redis server. */
  readonly inspector?: RqInspector;
  /**
   * Further fields whose values are never shown: `password` (of this name anywhere), `*.token`, `data.card`. As for
   * `RqDashboardModule`: passwords, tokens, cookies, keys and card numbers are blanked in any case.
   */
  readonly redact?: readonly string[];
  /** `'fresh'`: what is run again from the board has all of its retries. Default: spent retries stay spent. */
  readonly retries?: 'fresh';
}

/** @throws InvalidOptionError naming the key */
export function assertAdapterOptions(queue: unknown, options: RqAdapterOptions): void {
  const where = 'new RqAdapter';
  const check = (isRight: boolean, option: string, problem: string) => {
    if (!isRight) throw new InvalidOptionError({ option, problem, where });
  };
  check(isQueue(queue), 'queue', 'must be a Queue of nestjs-rq (BullMQ has a BullMQAdapter)');
  const { inspector, redact, retries, readOnlyMode } = options;
  const isInspector = inspector === undefined || typeof inspector.history === 'function';
  check(isInspector, 'inspector', 'must be an RqInspector');
  const isTexts =
    redact === undefined ||
    (Array.isArray(redact) && redact.every((one) => typeof one === 'string' && one !== ''));
  check(isTexts, 'redact', 'must be a list of texts');
  check(retries === undefined || retries === 'fresh', 'retries', `must be 'fresh'`);
  // bull-board takes anything but true for false.
  const isFlag = readOnlyMode === undefined || typeof readOnlyMode === 'boolean';
  check(isFlag, 'readOnlyMode', 'must be true or false');
}

function isQueue(queue: unknown): boolean {
  if (typeof queue !== 'object' || queue === null) return false;
  return ['enqueueMany', 'counts', 'jobs', 'schedules'].every(
    (name) => typeof (queue as Record<string, unknown>)[name] === 'function',
  );
}
