import { RqError, httpStatusOf } from '../observe/index.js';

/**
 * What bull-board can ask for and nestjs-rq does not have. The board shows the sentence; a caller of its API gets it with
 * status 400.
 */
export class NotOnBoardError extends RqError {
  readonly code = 'RQ_NOT_ON_BOARD';

  /** @param asked what was asked for, and what to do instead: whole sentences */
  constructor(queue: string, asked: string) {
    super(`Queue "${queue}" is one of nestjs-rq. ${asked}`);
  }
}

/** Does something for the board; what is refused reaches it as its own sentence, with the fitting status of HTTP. */
export async function answered<Result>(act: () => Promise<Result>): Promise<Result> {
  try {
    return await act();
  } catch (error) {
    const statusCode = statusOf(error);
    // What JSON shows of the error stays as it is.
    if (statusCode !== undefined) Object.defineProperty(error, 'statusCode', { value: statusCode });
    throw error;
  }
}

function statusOf(error: unknown): number | undefined {
  return httpStatusOf(error) ?? (error instanceof RqError ? 400 : undefined);
}
