import { RqError, httpStatusOf } from '../../observe/index.js';

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
  const status = httpStatusOf(error);
  if (status === 503) return { status, code: 'redis', message: 'Redis does not answer' };
  if (status !== undefined)
    return { status, code: CODES[status], message: (error as Error).message };
  if (error instanceof RqError) return { status: 502, code: 'redis', message: error.message };
  return { status: 500, code: 'error', message: 'something went wrong; the log tells more' };
}

const CODES = { 400: 'option', 404: 'missing', 409: 'state' } as const;
