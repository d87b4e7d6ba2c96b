import { InvalidOptionError, checkOptions, isObject } from '../../job/index.js';
import type { JobHeaders } from '../../queue/index.js';

/**
 * How the context of whoever enqueues (a trace, a tenant, the user) reaches the handler: two functions, in the way of
 * OpenTelemetry's propagators. What travels are the texts in a job's headers, nothing else.
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
   * that `headers` tell of, and gives what it returns. What it throws fails the attempt.
   */
  extract?<Result>(headers: Readonly<JobHeaders>, run: () => Promise<Result>): Promise<Result>;
}

/** The two functions, each with the `this` it was given with. */
export interface JobContext {
  readonly inject: JobContextOptions['inject'];
  readonly extract: JobContextOptions['extract'];
}

/** @throws InvalidOptionError naming the key */
export function readContext(options: JobContextOptions | undefined, where: string): JobContext {
  if (options === undefined) return { inject: undefined, extract: undefined };
  // An instance of a class may have fields of its own, such as what was injected into it.
  if (!isInstance(options)) checkOptions(options, CONTEXT_KEYS, 'context', where);
  for (const key of ['inject', 'extract'] as const) {
    const value: unknown = options[key];
    if (value !== undefined && typeof value !== 'function') {
      const problem = 'must be a function';
      throw new InvalidOptionError({ option: `context.${key}`, problem, value, where });
    }
  }
  if (!options.inject && !options.extract) {
    const problem = 'needs inject, or extract, or both';
    throw new InvalidOptionError({ option: 'context', problem, where });
  }
  return { inject: options.inject?.bind(options), extract: options.extract?.bind(options) };
}

function isInstance(value: unknown): boolean {
  if (!isObject(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== null && Object.getPrototypeOf(prototype) !== null;
}

const CONTEXT_KEYS: ReadonlySet<string> = new Set(['inject', 'extract']);
