import {
  DuplicateJobError,
  InvalidJobStateError,
  InvalidOptionError,
  JobNotFoundError,
  RqConnectionError,
  RqError,
} from '../../observe/index.js';

/** A request that is not carried out, with what the page shows. */
export class Refused extends Error {
  constructor(
    /** For the page: `permission`, `origin`, `body`, ... */
    readonly code: string,
    message: string,
    readonly status = 403,
  ) {
    super(message);
  }
}

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

/** What to answer to an error. Only texts that were written for people leave the server. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Refused) {
    return { status: error.status, code: error.code, message: error.message };
  }
  if (error instanceof RqConnectionError) {
    return { status: 503, code: 'redis', message: 'Redis does not answer' };
  }
  if (error instanceof JobNotFoundError) {
    return { status: 404, code: 'missing', message: error.message };
  }
  if (error instanceof InvalidJobStateError || error instanceof DuplicateJobError) {
    return { status: 409, code: 'state', message: error.message };
  }
  if (error instanceof InvalidOptionError) {
    return { status: 400, code: 'option', message: error.message };
  }
  if (error instanceof RqError) return { status: 502, code: 'redis', message: error.message };
  return { status: 500, code: 'error', message: 'something went wrong; the log tells more' };
}
