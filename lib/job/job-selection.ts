import { InvalidOptionError } from './errors.js';
import { isObject } from './option-checks.js';
import { either, optionTable, optional, readOptions, wholeNumber } from './option-table.js';

/**
 * Which jobs something is to be done to: those of some ids, or those of a registry in its order.
 *
 * ```ts
 * await queue.requeue(['id1', 'id2']);
 * await queue.requeue({ in: 'failed', limit: 1000 });
 * ```
 */
export type JobSelection =
  | readonly string[]
  | {
      /** Stopped jobs are in the failed registry. */
      readonly in: 'failed' | 'canceled';
      /** At most so many; default: all that are there when it begins. */
      readonly limit?: number;
    };

/** @throws InvalidOptionError naming the key */
export function assertSelection(selection: JobSelection, where: string): void {
  if (Array.isArray(selection)) {
    const wrong = selection.findIndex((id) => typeof id !== 'string');
    if (wrong === -1) return;
    throw new InvalidOptionError({ option: `ids[${wrong}]`, problem: 'must be text', where });
  }
  if (!isObject(selection)) {
    const problem = "must be a list of ids, or { in: 'failed' | 'canceled', limit }";
    throw new InvalidOptionError({ option: 'selection', problem, value: selection, where });
  }
  readOptions(selection, SELECTION_OPTIONS, where);
}

const SELECTION_OPTIONS = optionTable<Exclude<JobSelection, readonly string[]>>()({
  in: either('failed', 'canceled'),
  limit: optional(wholeNumber(0)),
});
