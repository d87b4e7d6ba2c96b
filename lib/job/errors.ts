/**
 * Everything that can go wrong, as classes with a stable `code`. A message says what was wrong, where, and what
 * to do about it; it is built here, so that two places never word the same trouble differently. No message holds
 * a URL, a password or a job's data.
 */

import { cleanLine, cleanText } from './clean-text.js';
import { shownValue } from './shown-value.js';

/** The parent of every error of this library: `catch (error) { if (error instanceof RqError) ... error.code }`. */
export abstract class RqError extends Error {
  /** Stable, for code to compare with: `RQ_INVALID_OPTION`, `RQ_CONNECTION`, ... */
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    // It may quote what strangers have put into Redis: names, ids, statuses, tracebacks.
    super(cleanLine(message), options);
    Object.defineProperty(this, 'name', {
      value: new.target.name,
      writable: true,
      configurable: true,
    });
    // The stack's first line is fixed when it is taken: take it again, now that the name is known.
    Error.captureStackTrace(this, new.target);
  }

  /** What JSON shows of it: name, message, code and the further fields of its class; not its cause. */
  toJSON(): object {
    return { name: this.name, message: this.message, ...(this as object) };
  }
}

/** An option, a name or a value given to this library is impossible. Thrown where it was given, before anything is stored. */
export class InvalidOptionError extends RqError {
  readonly code = 'RQ_INVALID_OPTION';
  /** The key, with its path: `retry.interval[1]`. */
  readonly option: string;

  /**
   * @param details.option the key with its path
   * @param details.problem reads on from the key: "must be a whole number from 1 to 1000"
   * @param details.value what was given, if it may be shown (leave it out for secrets)
   * @param details.where the call or the module: `enqueue("processImage") on queue "images"`
   * @param details.cause what a function that was given has thrown
   */
  constructor(details: {
    option: string;
    problem: string;
    value?: unknown;
    where?: string;
    cause?: unknown;
  }) {
    const place = details.where ? `${details.where}: ` : '';
    const given = 'value' in details ? `, got ${shownValue(details.value)}` : '';
    const options = 'cause' in details ? { cause: details.cause } : undefined;
    super(`${place}${details.option} ${details.problem}${given}`, options);
    this.option = details.option;
  }
}

/** Redis could not be reached or did not answer in time. It keeps no `cause`: a client's errors can hold the password. */
export class RqConnectionError extends RqError {
  readonly code: 'RQ_CONNECTION' | 'RQ_NOT_REPLICATED' = 'RQ_CONNECTION';
  /** The command may have been carried out although no answer came. Repeating it (with the same job ids) is harmless. */
  readonly uncertain: boolean;
  /**
   * The ids of the caller's jobs that were to be enqueued, in their order; empty for other calls. So that no job is
   * enqueued twice, repeat with them: `enqueue(name, data, { id: error.jobIds[0] })`.
   */
  readonly jobIds: readonly string[];
  /** The message without what was tried: what was wrong, and what to do where nothing was carried out. */
  readonly explanation: string;
  readonly #details: {
    readonly action: string;
    readonly reason?: unknown;
    readonly uncertain?: boolean;
  };

  /**
   * @param details.action what was tried, as in "could not ...": `enqueue on queue "images"`
   * @param details.reason the client's error, of which only a cleaned first line is kept
   * @param details.uncertain default false: nothing was carried out
   * @param details.jobIds of the jobs that were to be enqueued
   * @param details.howToRepeat a clause; default: with the same ids
   */
  constructor(details: {
    action: string;
    reason?: unknown;
    uncertain?: boolean;
    jobIds?: readonly string[];
    howToRepeat?: string;
  }) {
    const {
      action,
      reason,
      uncertain,
      jobIds = [],
      howToRepeat = repeatOf(jobIds.length),
    } = details;
    const trouble = connectionTrouble(reason);
    const advice = uncertain
      ? `It may have been carried out all the same: ${howToRepeat}.`
      : adviceFor(trouble);
    super(`Could not ${action}: ${trouble}. ${advice}`);
    this.uncertain = uncertain ?? false;
    this.explanation = uncertain ? trouble : `${trouble}. ${advice}`;
    this.jobIds = jobIds;
    this.#details = { action, reason, uncertain };
  }

  /** The same error, for the one who was to enqueue these jobs. */
  of(jobIds: readonly string[], howToRepeat?: string): RqConnectionError {
    return new RqConnectionError({ ...this.#details, jobIds, howToRepeat });
  }
}

/** Two methods want to run the same job name on the same queue. Thrown at bootstrap. */
export class DuplicateHandlerError extends RqError {
  readonly code = 'RQ_DUPLICATE_HANDLER';

  constructor(details: { queue: string; name: string; owners: readonly [string, string] }) {
    super(
      `Two handlers for job "${details.name}" on queue "${details.queue}": ` +
        `${details.owners[0]} and ${details.owners[1]}. Rename one or give it another queue.`,
    );
  }
}

/** A job came whose name no handler of this worker's queue has. */
export class UnknownJobError extends RqError {
  readonly code = 'RQ_UNKNOWN_JOB';

  constructor(details: { queue: string; name: string; known: readonly string[] }) {
    const known = details.known.length > 0 ? listed(details.known) : 'none';
    super(
      `No handler for job ${shownValue(details.name)} on queue "${details.queue}". Known here: ${known}. ` +
        "Add a @Job method of that name, or set unknownJobs: 'release' while a new version is being rolled out.",
    );
  }
}

/** A stored job cannot be read: fields are missing or damaged, or its data is a Python pickle, which is never decoded. */
export class MalformedJobError extends RqError {
  readonly code = 'RQ_MALFORMED_JOB';
  readonly jobId: string;

  /** @param details.problem a clause: `its data is a Python pickle (enqueue it with JSONSerializer)` */
  constructor(details: { jobId: string; problem: string }) {
    super(`Job "${details.jobId}" cannot be read: ${details.problem}.`);
    this.jobId = details.jobId;
  }
}

/** The handler took longer than the job's `timeout`. Also the reason of the aborted `job.signal`. */
export class JobTimeoutError extends RqError {
  readonly code = 'RQ_JOB_TIMEOUT';
  readonly jobId: string;

  /** @param details.timeout in milliseconds */
  constructor(details: { jobId: string; timeout: number }) {
    super(
      `Job "${details.jobId}" exceeded its timeout of ${inSeconds(details.timeout)}. ` +
        'Give it a longer timeout, and let the handler stop when job.signal aborts.',
    );
    this.jobId = details.jobId;
  }
}

/** What was given as a job's data (or `meta`) is no JSON: a cycle, a BigInt, a throwing `toJSON`. Nothing was stored. */
export class UnserializableDataError extends RqError {
  readonly code = 'RQ_UNSERIALIZABLE_DATA';

  /** @param details.what default `data`; `meta`, ... for other fields */
  constructor(details: { name: string; queue: string; what?: string; cause?: unknown }) {
    super(
      `The ${details.what ?? 'data'} of job ${shownValue(details.name)} for queue "${details.queue}" cannot be written ` +
        `as JSON${because(details.cause)}. Pass plain objects, arrays, strings, numbers, booleans and null.`,
      { cause: details.cause },
    );
  }
}

/** What the handler returned is no JSON: the attempt fails. */
export class UnserializableResultError extends RqError {
  readonly code = 'RQ_UNSERIALIZABLE_RESULT';
  readonly jobId: string;

  constructor(details: { jobId: string; cause?: unknown }) {
    super(
      `The result of job "${details.jobId}" cannot be written as JSON${because(details.cause)}. ` +
        'Return plain objects, arrays, strings, numbers, booleans or null, or nothing.',
      { cause: details.cause },
    );
    this.jobId = details.jobId;
  }
}

/** Data, result, meta, ... is larger than allowed. */
export class PayloadTooLargeError extends RqError {
  readonly code = 'RQ_PAYLOAD_TOO_LARGE';

  /**
   * @param details.what `data of job "processImage"`
   * @param details.size bytes, if known; it may be a lower bound
   * @param details.limit bytes
   * @param details.option the option that sets the limit, if there is one
   */
  constructor(details: { what: string; size?: number; limit: number; option?: string }) {
    const size = details.size === undefined ? '' : ` (${details.size} bytes)`;
    const advice = details.option ? `, or raise ${details.option}` : '';
    super(
      `The ${details.what} is too large${size}: at most ${details.limit} bytes are allowed. ` +
        `Keep large content elsewhere and pass a reference${advice}.`,
    );
  }
}

/** Thrown by `result()`: the job failed for good. */
export class JobFailedError extends RqError {
  readonly code: 'RQ_JOB_FAILED' | 'RQ_POISON_JOB' = 'RQ_JOB_FAILED';
  readonly jobId: string;
  /** The recorded failure with its stack (of the worker's process, maybe a Python traceback). */
  readonly reason: string;

  constructor(details: { jobId: string; reason: string }) {
    super(`Job "${details.jobId}" failed: ${headline(details.reason)}`);
    this.jobId = details.jobId;
    this.reason = cleanText(details.reason);
  }
}

/** The job was canceled: thrown by `result()`, and the reason of the aborted `job.signal`. */
export class JobCanceledError extends RqError {
  readonly code = 'RQ_JOB_CANCELED';
  readonly jobId: string;

  constructor(details: { jobId: string; reason?: string }) {
    const reason = firstLine(details.reason ?? '');
    super(`Job "${details.jobId}" was canceled${reason ? `: ${reason}` : '.'}`);
    this.jobId = details.jobId;
  }
}

/** The job was stopped by command while it ran: thrown by `result()`, and the reason of the aborted `job.signal`. */
export class JobStoppedError extends RqError {
  readonly code = 'RQ_JOB_STOPPED';
  readonly jobId: string;

  constructor(details: { jobId: string }) {
    super(
      `Job "${details.jobId}" was stopped by command. It is not retried; requeue() runs it again.`,
    );
    this.jobId = details.jobId;
  }
}

/** There is no such job (any more). */
export class JobNotFoundError extends RqError {
  readonly code = 'RQ_JOB_NOT_FOUND';
  readonly jobId: string;

  constructor(details: { jobId: string }) {
    super(
      `No job "${details.jobId}". It was deleted, or its ttl, resultTtl or failureTtl has passed, or it never existed.`,
    );
    this.jobId = details.jobId;
  }
}

/** The job's status does not allow what was asked. */
export class InvalidJobStateError extends RqError {
  readonly code = 'RQ_INVALID_JOB_STATE';
  readonly jobId: string;

  /** @param details.action the verb: `requeue`; @param details.allowed the statuses in which it is possible */
  constructor(details: {
    jobId: string;
    action: string;
    status: string;
    allowed?: readonly string[];
  }) {
    const allowed = details.allowed?.length
      ? ` Possible only when it is ${details.allowed.join(' or ')}.`
      : '';
    super(`Cannot ${details.action} job "${details.jobId}": it is ${details.status}.${allowed}`);
    this.jobId = details.jobId;
  }
}

/** `result({ timeout })` waited in vain. The job goes on. */
export class ResultTimeoutError extends RqError {
  readonly code = 'RQ_RESULT_TIMEOUT';
  readonly jobId: string;

  /**
   * @param details.timeout in milliseconds
   * @param details.status the job's last known status
   * @param details.advice whole sentences; default: to wait again, or to look for a worker
   */
  constructor(details: { jobId: string; timeout: number; status?: string; advice?: string }) {
    const status = details.status ? ` (it is ${details.status})` : '';
    const {
      advice = 'It goes on: wait again with result(), or check that a worker serves its queue.',
    } = details;
    super(
      `Job "${details.jobId}" did not end within ${inSeconds(details.timeout)}${status}. ${advice}`,
    );
    this.jobId = details.jobId;
  }
}

/** Reason of an aborted `job.signal`: this worker lost its claim, another one runs the job. What the handler still does is not recorded. */
export class LostLeaseError extends RqError {
  readonly code = 'RQ_LOST_LEASE';
  readonly jobId: string;

  constructor(details: { jobId: string }) {
    super(
      `This worker lost its lease on job "${details.jobId}"; the job may run elsewhere, and nothing this run does is recorded. ` +
        'Let the handler stop when job.signal aborts.',
    );
    this.jobId = details.jobId;
  }
}

/** Reason of an aborted `job.signal`: the application closes and its `shutdownTimeout` has passed. The job is put back, no retry is spent. */
export class ShutdownError extends RqError {
  readonly code = 'RQ_SHUTDOWN';

  /** @param details.jobId the interrupted job, when there is one */
  constructor(details: { jobId?: string } = {}) {
    super(
      details.jobId === undefined
        ? 'The worker is shutting down.'
        : `The worker is shutting down: job "${details.jobId}" goes back to its queue and spends no retry.`,
    );
  }
}

function adviceFor(trouble: string): string {
  return /WRONGPASS|NOAUTH/.test(trouble)
    ? 'Check the user and the password of the connection.'
    : trouble.includes('NOPERM')
      ? 'What it must be allowed to do is in docs/redis.md.'
      : 'Check that Redis is running and that the connection options are right.';
}

function repeatOf(jobs: number): string {
  if (jobs === 0) return 'repeating it is harmless';
  return jobs === 1
    ? 'repeat it with the same id, enqueue(name, data, { id: error.jobIds[0] })'
    : 'repeat it with the same ids, { id: error.jobIds[index] } for each job of the list';
}

const LISTED_NAMES = 20;

function listed(names: readonly string[]): string {
  const shown = names.slice(0, LISTED_NAMES).join(', ');
  return names.length > LISTED_NAMES ? `${shown} and ${names.length - LISTED_NAMES} more` : shown;
}

function inSeconds(milliseconds: number): string {
  return `${milliseconds / 1000} s`;
}

/** Why, in parentheses; empty: the cause says nothing. */
export function because(cause: unknown): string {
  const text = messageOf(cause).replace(/\.$/, '');
  return text ? ` (${text})` : '';
}

/** The first line of an error's message. */
export function messageOf(cause: unknown): string {
  return cause instanceof Error ? firstLine(cause.message) : '';
}

function firstLine(text: string): string {
  return text.slice(0, 500).split('\n', 1)[0]?.trim() ?? '';
}

/** The telling line of a recorded failure: the first of a JavaScript stack, the last of a Python traceback. */
function headline(reason: string): string {
  if (!reason.startsWith('Traceback')) {
    return firstLine(reason) || 'no reason was recorded';
  }
  return reason.slice(-2000).trimEnd().split('\n').at(-1)?.trim() ?? 'no reason was recorded';
}

/** A client's error in one clean line: its system code or the start of its message, URLs removed. */
function connectionTrouble(reason: unknown): string {
  if (!(reason instanceof Error)) {
    return 'Redis did not answer';
  }
  const code = (reason as NodeJS.ErrnoException).code;
  const text = firstLine(reason.message).replace(/[a-z][a-z0-9+.-]*:\/\/\S+/gi, '<url>');
  return (text || (typeof code === 'string' ? code : 'Redis did not answer')).replace(/\.$/, '');
}
