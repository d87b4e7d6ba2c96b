import type { Command } from 'commander';
import type * as Rq from '../observe/index.js';
import { CliError, EXIT } from './exit-codes.js';

/** Flags by which jobs are selected, and what the library makes of them. */
export interface SelectionFlags {
  readonly in?: string;
  readonly name?: string;
  readonly cause?: string;
  readonly error?: string;
  readonly since?: string;
  readonly before?: string;
  readonly limit?: string;
}

export function withSelectionFlags(command: Command): Command {
  return command
    .option('--name <job>', 'only jobs of this name')
    .option('--cause <cause>', 'only failures of this cause, as `failures` shows it')
    .option('--error <text>', 'only jobs whose failure has this text in it')
    .option('--since <time>', 'only jobs of this time or later: 1h (ago), or 2026-03-01T09:00')
    .option('--before <time>', 'only jobs of an earlier time')
    .option('--limit <number>', 'at most so many');
}

/** @throws CliError */
export function selectionOf(
  rq: typeof Rq,
  flags: SelectionFlags,
  place: string,
): Exclude<Rq.JobSelection, readonly string[]> {
  const { name, cause, error, since, before, limit } = flags;
  return {
    in: place as Rq.SelectableIn,
    ...(name === undefined ? {} : { name }),
    ...(cause === undefined ? {} : { cause }),
    ...(error === undefined ? {} : { error }),
    ...(since === undefined ? {} : { after: momentOf(rq, since, '--since') }),
    ...(before === undefined ? {} : { before: momentOf(rq, before, '--before') }),
    ...(limit === undefined ? {} : { limit: wholeNumber(limit, '--limit') }),
  };
}

/** Whether a flag narrows the selection down. */
export function narrows({ name, cause, error, since, before, limit }: SelectionFlags): boolean {
  return [name, cause, error, since, before, limit].some((flag) => flag !== undefined);
}

/** @throws CliError */
export function wholeNumber(text: string, flag: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new CliError(`${flag} must be a whole number`, EXIT.usage);
}

/** A time of the past as a length (`1h`), or a date. */
function momentOf(rq: typeof Rq, text: string, flag: string): Date {
  if (/^\d+(\.\d+)?(ms|s|m|h|d|w)$/.test(text)) {
    return new Date(Date.now() - rq.toMilliseconds(text, flag));
  }
  const date = new Date(text);
  if (/^\d{4}-\d{2}/.test(text) && !Number.isNaN(date.getTime())) return date;
  throw new CliError(
    `${flag} must be a length such as 1h, or a date such as 2026-03-01T09:00`,
    EXIT.usage,
  );
}
