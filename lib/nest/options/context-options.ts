import {
  InvalidOptionError,
  aFunction,
  isObject,
  optionTable,
  optional,
  readOptions,
} from '../../job/index.js';
import type { JobHeaders } from '../../queue/index.js';

/**
 * How the context of whoever enqueues (a trace, a tenant, the user) reaches the handler. It takes two functions, in the
 * way of OpenTelemetry's propagators. What travels are the texts in a job's headers, nothing else.
 *
 * @example
 * context: {
 *   inject: (headers) => (headers.tenant = tenants.getStore()),
 *   extract: (headers, run) => tenants.run(headers.tenant, run),
 * }
 */
export interface JobContextOptions {
  /**
   * Called for each job that is enqueued on a queue of this root, where `enqueue` is called: puts texts into `headers`.
   * What it throws makes `enqueue` reject.
   */
  inject?(headers: JobHeaders): void;
  /**
   * Called around each run of a handler, outside guards, interceptors, pipes and filters: calls `run` in the context
   * that `headers` tell of, and gives what it returns. What it throws fails the attempt. A batch has the headers that are
   * the same in all its jobs.
   */
  extract?<Result>(headers: Readonly<JobHeaders>, run: () => Promise<Result>): Promise<Result>;
}

/** The two functions, each with the `this` it was given with. */
export interface JobContext {
  readonly inject: JobContextOptions['inject'];
  readonly extract: JobContextOptions['extract'];
}

/** @throws InvalidOptionError naming the key */
export function readContext(value: unknown, option: string, where: string | undefined): JobContext {
  if (value === undefined) return { inject: undefined, extract: undefined };
  const options = value as JobContextOptions;
  readOptions(isInstance(value) ? ownPart(value) : value, CONTEXT_OPTIONS, where, option);
  if (!options.inject && !options.extract) {
    const problem = 'needs inject, or extract, or both';
    throw new InvalidOptionError({ option, problem, where });
  }
  return { inject: options.inject?.bind(options), extract: options.extract?.bind(options) };
}

/** An instance of a class may have fields of its own, such as what was injected into it. */
function ownPart(instance: object): Record<string, unknown> {
  const keys = [...CONTEXT_OPTIONS.keys];
  return Object.fromEntries(keys.map((key) => [key, Reflect.get(instance, key) as unknown]));
}

function isInstance(value: unknown): value is object {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

const CONTEXT_OPTIONS = optionTable<JobContextOptions>()({
  inject: optional(aFunction),
  extract: optional(aFunction),
});
