import type * as Rq from '../observe/index.js';

/** How a run of the command line ended, for scripts. */
export const EXIT = {
  done: 0,
  /** There is something wrong (`doctor`, `info --check`), or something else failed. */
  problem: 1,
  /** The command line itself is wrong. */
  usage: 2,
  /** Redis cannot be reached. */
  unreachable: 3,
  /** Redis does not allow it. */
  denied: 4,
  /** There is no such job or queue, or its state does not allow it. */
  notFound: 5,
} as const;

/** Ends a command with words for the user and an exit code. */
export class CliError extends Error {
  constructor(
    message: string,
    readonly exitCode: number,
  ) {
    super(message);
  }
}

const DENIED = /\b(NOPERM|NOAUTH|WRONGPASS)\b|lacks rights/;

export function exitCodeOf(error: unknown, rq: typeof Rq): number {
  if (error instanceof CliError) return error.exitCode;
  const message = error instanceof Error ? error.message : '';
  if (error instanceof rq.RqError && DENIED.test(message)) return EXIT.denied;
  if (error instanceof rq.InvalidOptionError) return EXIT.usage;
  if (error instanceof rq.RqConnectionError || error instanceof rq.UnusableRedisError) {
    return EXIT.unreachable;
  }
  const isNotFound =
    error instanceof rq.JobNotFoundError ||
    error instanceof rq.InvalidJobStateError ||
    error instanceof rq.DuplicateJobError;
  return isNotFound ? EXIT.notFound : EXIT.problem;
}
