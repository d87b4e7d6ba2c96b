import {
  DuplicateJobError,
  InvalidJobStateError,
  InvalidOptionError,
  JobNotFoundError,
  RqConnectionError,
} from '../job/index.js';

/** The status of HTTP that fits an error, for pages and boards; undefined: none of those that have one of their own. */
export function httpStatusOf(error: unknown): 400 | 404 | 409 | 503 | undefined {
  if (error instanceof InvalidOptionError) return 400;
  if (error instanceof JobNotFoundError) return 404;
  if (error instanceof InvalidJobStateError || error instanceof DuplicateJobError) return 409;
  return error instanceof RqConnectionError ? 503 : undefined;
}
