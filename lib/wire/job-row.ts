import { constants, inflateSync } from 'node:zlib';
import { type JobStatus, type WaitsFor, causeOfLine } from '../job/index.js';
import { waitsForIn } from './dependency-fields.js';
import { dateOf, decodeStreamedFailure, runsOf, statusOf, wholeNumber } from './job-record.js';
import { ROW_FIELDS } from './row-fields.js';

/**
 * A job as a list shows it (`queue.jobs()`): what a person looks for, without the payload. It is plain data; the handle,
 * with which something can be done, is `queue.job(summary.id)`.
 */
export interface JobSummary {
  readonly id: string;
  readonly queue: string;
  /** undefined: only Python can read it (a pickle); `description` tells then. */
  readonly name: string | undefined;
  readonly status: JobStatus;
  /** When a scheduled job may run; undefined: it is not in the schedule. */
  readonly dueAt: Date | undefined;
  /** Runs so far, the current one included. */
  readonly attempts: number;
  /** undefined: no policy is stored with the job (its handler's may apply). */
  readonly retriesLeft: number | undefined;
  /** How often it runs again after a success; undefined: it does not repeat. */
  readonly repeatsLeft: number | undefined;
  readonly createdAt: Date | undefined;
  /** When it became ready to run. */
  readonly enqueuedAt: Date | undefined;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  /** Name of the worker that runs it or ran it last. */
  readonly worker: string | undefined;
  /** At most 512 bytes of it. */
  readonly description: string | undefined;
  /**
   * Name and message of the error of its last failed attempt, one line, at most 200 characters; `job.results()` has the
   * stack. Also of a job that waits for its retry.
   */
  readonly failure: string | undefined;
  /**
   * A key that failures of one cause share: same job, same error, same place, same message but for numbers and quoted
   * texts. Of failed and stopped jobs, and of those that wait for a retry.
   */
  readonly cause: string | undefined;
  /** Why it was canceled, if somebody said so. */
  readonly reason: string | undefined;
  /**
   * What a deferred job waits for; undefined: nothing. Of many jobs only the first ones stand here, those of 512 bytes:
   * `refresh()` has them all.
   */
  readonly waitsFor: WaitsFor | undefined;
}

/**
 * Reads a row (see scripts/list.lua). Anybody may have written the job: what makes no sense counts as absent.
 * @param queue undefined: the rows are of several queues
 * @param isScheduled the row's score is when the job is due
 */
export function decodeRow(
  queue: string | undefined,
  row: readonly Buffer[],
  isScheduled: boolean,
): JobSummary {
  const text = (index: number): string | undefined => textOf(row[index]);
  const field = (name: (typeof ROW_FIELDS)[number]) => text(FIXED + ROW_FIELDS.indexOf(name));
  const whole = (name: string) => (isRowField(name) ? wholeList(field(name)) : undefined);
  const status = statusOf(field('status'));
  const due = isScheduled ? Number(text(SCORE) ?? NaN) : NaN;
  const createdAt = dateOf(field('created_at'));
  const name = nameIn(row[DATA] ?? NOTHING);
  const failure = headline(status, row);
  return {
    id: text(ID) ?? '',
    queue: queue ?? field('origin') ?? '',
    name,
    status,
    dueAt: Number.isFinite(due) ? new Date(due * 1000) : undefined,
    attempts: runsOf(status, field('nrq_attempts'), field('nrq_round')),
    retriesLeft: wholeNumber(field('retries_left')),
    repeatsLeft: wholeNumber(field('repeats_left')),
    createdAt,
    enqueuedAt: dateOf(field('enqueued_at')) ?? (status === 'scheduled' ? undefined : createdAt),
    startedAt: dateOf(field('started_at')),
    endedAt: dateOf(field('ended_at')),
    worker: field('worker_name'),
    description: text(DESCRIPTION),
    failure,
    cause:
      hasFailed(status) || (status === 'scheduled' && failure !== undefined)
        ? causeIn(field('nrq_cause'), name, failure)
        : undefined,
    reason: field('nrq_reason'),
    waitsFor: status === 'deferred' ? waitsForIn(whole) : undefined,
  };
}

function isRowField(name: string): name is (typeof ROW_FIELDS)[number] {
  return (ROW_FIELDS as readonly string[]).includes(name);
}

/** A list of texts that was cut, without the text in which it was. */
function wholeList(json: string | undefined): string | undefined {
  if (!json?.startsWith('[') || json.endsWith(']')) return json;
  const end = json.lastIndexOf('",');
  return end === -1 ? '[]' : `${json.slice(0, end)}"]`;
}

const ID = 0;
const SCORE = 1;
const DATA = 2;
const DESCRIPTION = 3;
const EXC_INFO = 4;
const ERROR_NAME = 5;
const ERROR_MESSAGE = 6;
const EXC_STRING = 7;
/** The row's fields stand behind. */
const FIXED = 8;
const NOTHING = Buffer.alloc(0);

function textOf(bytes: Buffer | undefined): string | undefined {
  // A text that was cut may end in half a character.
  return bytes && bytes.length > 0 ? bytes.toString().replace(/\uFFFD$/, '') : undefined;
}

/** The name at the beginning of a call's text, which may be deflated and cut. */
export function nameIn(data: Buffer): string | undefined {
  const json = /^\s*\[\s*("(?:[^"\\]|\\.)*")/.exec(beginningOf(data))?.[1];
  if (json === undefined) return undefined;
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

/** What is there of bytes that may be zlib's, however short they were cut. */
function beginningOf(bytes: Buffer): string {
  if (bytes[0] !== ZLIB_DEFLATE) return bytes.toString();
  try {
    const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: LONGEST_INFLATED };
    return inflateSync(bytes, options).toString();
  } catch {
    return '';
  }
}

const ZLIB_DEFLATE = 0x78;
/** A KB of zlib's bytes is never more than that. */
const LONGEST_INFLATED = 2 * 1024 * 1024;

export function hasFailed(status: JobStatus): boolean {
  return status === 'failed' || status === 'stopped';
}

/** Python's workers, and older ones of ours, write none. */
export function causeIn(
  stored: string | undefined,
  name: string | undefined,
  failure: string | undefined,
) {
  return stored !== undefined && /^[\da-f]{10}$/.test(stored)
    ? stored
    : causeOfLine(name, failure ?? '');
}

function headline(status: JobStatus, row: readonly Buffer[]): string | undefined {
  const name = textOf(row[ERROR_NAME]);
  const message = textOf(row[ERROR_MESSAGE]);
  if (name !== undefined) return oneLine(message === undefined ? name : `${name}: ${message}`);
  if (!hasFailed(status)) return undefined;
  const streamed = row[EXC_STRING];
  const text = streamed?.length
    ? decodeStreamedFailure(streamed)
    : beginningOf(row[EXC_INFO] ?? NOTHING);
  const lines = text.trim().split('\n');
  // Python tells at the end what went wrong, Node.js at the beginning.
  return oneLine((lines[0]?.startsWith('Traceback') ? lines.at(-1) : lines[0]) ?? '');
}

export function oneLine(text: string): string | undefined {
  const line =
    text
      .trim()
      .split('\n', 1)[0]
      ?.replace(/\p{Cc}+/gu, ' ') ?? '';
  return line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE - 1)}…` : line || undefined;
}

const LONGEST_LINE = 200;
