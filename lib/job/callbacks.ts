import { InvalidOptionError } from './errors.js';
import type { JobEventType } from './job-event.js';
import { isObject } from './option-checks.js';

/**
 * RQ's callbacks: names of Python functions that a job wants called when it ends. Python's workers import and call them.
 * Here a name is never more than a name: a method marked `@OnJob('finished', { callback })` may take it over.
 */

/** What a job's callbacks are for, in RQ's words `on_success`, `on_failure`, `on_stopped`. */
export type CallbackMoment = 'success' | 'failure' | 'stopped';

/** The events that are told at each moment. RQ calls `on_failure` at each attempt that fails. */
export const CALLBACK_EVENTS: Readonly<Record<CallbackMoment, readonly JobEventType[]>> = {
  success: ['finished'],
  failure: ['failed', 'retrying'],
  stopped: ['canceled'],
};

/** The names of a job's callbacks. */
export type Callbacks = Readonly<Partial<Record<CallbackMoment, string>>>;

/** For calls of Python functions: other Python functions that a Python worker calls when the job ends. */
export interface CallbackOptions {
  /** RQ's `on_success`: the dotted name of a function, which gets job, connection and result. */
  onSuccess?: string;
  /** RQ's `on_failure`, at each attempt that fails: it gets job, connection and what was raised. */
  onFailure?: string;
  /** RQ's `on_stopped`: it gets job and connection. */
  onStopped?: string;
}

/**
 * Takes the callbacks out of the options of a call. Anything but a dotted name is refused: a worker of RQ 2 that cleans up
 * after an abandoned job quits at a name that it cannot import.
 * @throws InvalidOptionError naming the key
 */
export function splitCallbacks<Options extends CallbackOptions>(
  options: Options | undefined,
  where: string,
): { callbacks: Callbacks | undefined; rest: Omit<Options, keyof CallbackOptions> | undefined } {
  // What is no object is refused with the other options.
  if (!isObject(options)) return { callbacks: undefined, rest: options };
  const { onSuccess, onFailure, onStopped, ...rest } = options as CallbackOptions & Options;
  const callbacks = {
    success: readDottedName(onSuccess, 'onSuccess', where),
    failure: readDottedName(onFailure, 'onFailure', where),
    stopped: readDottedName(onStopped, 'onStopped', where),
  };
  const hasSome = Object.values(callbacks).some((name) => name !== undefined);
  return { callbacks: hasSome ? callbacks : undefined, rest };
}

/** @throws InvalidOptionError */
export function readDottedName(
  value: unknown,
  option: string,
  where: string | undefined,
): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && value.length <= 500 && DOTTED_NAME.test(value)) return value;
  const problem =
    "must be the dotted name of a Python function, 'package.module.function', of at most 500 characters";
  throw new InvalidOptionError({ option, problem, value, where });
}

const DOTTED_NAME = /^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)+$/u;
