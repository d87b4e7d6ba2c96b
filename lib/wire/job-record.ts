import { inflateSync } from 'node:zlib';
import { type JobStatus, type WaitsFor, isJobStatus } from '../job/index.js';
import { type JobCall, decodeCall } from './call.js';
import { type AttemptRecord, type Round, decodeAttempt, decodeRound } from './fields.js';
import { waitsForIn } from './dependency-fields.js';
import { decodeMeta } from './meta.js';
import { parsePythonJson } from './python-json.js';
import { callbackIn, timeOf } from './stored-text.js';
import { type JobTick, decodeTick } from './tick.js';

/** A job as it stands in Redis at one moment, whoever wrote it. */
export class JobRecord {
  private readonly fields: ReadonlyMap<string, Buffer>;

  /** @param reply the answer of HGETALL: field, value, ... */
  constructor(
    readonly id: string,
    reply: readonly Buffer[],
  ) {
    const fields = new Map<string, Buffer>();
    for (let at = 0; at + 1 < reply.length; at += 2) {
      fields.set((reply[at] as Buffer).toString(), reply[at + 1] as Buffer);
    }
    this.fields = fields;
  }

  /** RQ's rule: a hash without `data` is no job. */
  get exists(): boolean {
    return this.fields.has('data');
  }

  get status(): JobStatus {
    return statusOf(this.text('status'));
  }

  /** The queue. */
  get origin(): string {
    return this.text('origin') ?? '';
  }

  get createdAt(): Date | undefined {
    return this.date('created_at');
  }

  /** When it was last put into the queue. */
  get enqueuedAt(): Date | undefined {
    const scheduled = this.status === 'scheduled';
    return this.date('enqueued_at') ?? (scheduled ? undefined : this.createdAt);
  }

  get startedAt(): Date | undefined {
    return this.date('started_at');
  }

  get endedAt(): Date | undefined {
    return this.date('ended_at');
  }

  /** Runs so far, the current one included. */
  get attempts(): number {
    return runsOf(this.status, this.text('nrq_attempts'), this.text('nrq_round'));
  }

  /** Where a job that repeats stands; Python's workers do not write that. */
  get round(): Round {
    return decodeRound(this.text('nrq_round'));
  }

  get repeatsLeft(): number | undefined {
    return wholeNumber(this.text('repeats_left'));
  }

  get retriesLeft(): number | undefined {
    return wholeNumber(this.text('retries_left'));
  }

  get workerName(): string | undefined {
    return this.text('worker_name') || undefined;
  }

  get description(): string | undefined {
    return this.text('description');
  }

  /** @param maxBytes longer meta counts as empty */
  meta(maxBytes: number): Record<string, unknown> {
    return decodeMeta(this.fields.get('meta'), maxBytes);
  }

  /** The tick of a schedule that it is for; undefined: of none. */
  get tick(): JobTick | undefined {
    return decodeTick(this.text('nrq_tick'));
  }

  /** What the handler has told last; undefined when that is nothing, or no JSON. */
  get progress(): unknown {
    return jsonIn(this.text('nrq_progress'));
  }

  /** Why it was canceled, if somebody said so. */
  get reason(): string | undefined {
    return this.text('nrq_reason');
  }

  /** The key of its failure's cause, as stored; undefined: none is. */
  get cause(): string | undefined {
    return this.text('nrq_cause');
  }

  /** As much of its call as the name of the job needs. */
  get beginning(): Buffer {
    return (this.fields.get('data') ?? Buffer.alloc(0)).subarray(0, 1024);
  }

  /** Bytes of its call, as stored. */
  get dataBytes(): number {
    return this.fields.get('data')?.length ?? 0;
  }

  /** What it waits for, until it is released; undefined: nothing. */
  get waitsFor(): WaitsFor | undefined {
    return this.status === 'deferred' ? waitsForIn((field) => this.text(field)) : undefined;
  }

  /** Id of the job that it waited for and because of which it was canceled; of a group, `@` and its name. */
  get canceledBecauseOf(): string | undefined {
    return this.status === 'canceled' ? this.text('nrq_canceled_by') : undefined;
  }

  /** The name of the Python function that is to be called when it fails, if there is one. */
  get failureCallback(): string | undefined {
    return callbackIn(this.text('failure_callback_name'));
  }

  /** Text of RQ's field; undefined: there are none. */
  get webhooks(): string | undefined {
    return this.text('webhooks') || undefined;
  }

  /** @throws MalformedJobError */
  call(maxBytes: number): JobCall {
    return decodeCall(this.id, this.fields.get('data') ?? Buffer.alloc(0), maxBytes);
  }

  /** The result as our own jobs keep it; undefined when there is none here, or a pickle (see the result stream). */
  get result(): unknown {
    return jsonIn(this.text('result'));
  }

  /** The failure's text as our own jobs keep it, or as old Python versions do. */
  get failure(): string | undefined {
    const text = this.fields.get('exc_info');
    if (!text || text.length === 0) return undefined;
    if (text[0] !== 0x78) return text.toString();
    try {
      return inflateSync(text, { maxOutputLength: 1 << 20 }).toString() || undefined;
    } catch {
      return text.toString();
    }
  }

  /** The failed attempts that are on record, by number. */
  get failedAttempts(): ReadonlyMap<number, AttemptRecord> {
    const attempts = new Map<number, AttemptRecord>();
    for (const [name, value] of this.fields) {
      const number = /^nrq_attempt:(\d+)$/.exec(name)?.[1];
      const record = number && decodeAttempt(value.toString());
      if (record) attempts.set(Number(number), record);
    }
    return new Map([...attempts].sort(([left], [right]) => left - right));
  }

  private text(field: string): string | undefined {
    return this.fields.get(field)?.toString();
  }

  private date(field: string): Date | undefined {
    return dateOf(this.text(field));
  }
}

/**
 * A status that nobody knows counts as `queued`, as no status does. The two of RQ's next version say that a job waits,
 * and not for a worker.
 */
export function statusOf(text: string | undefined): JobStatus {
  if (text === 'rate_limited' || text === 'ready_to_enqueue') return 'deferred';
  return text !== undefined && isJobStatus(text) ? text : 'queued';
}

/**
 * Runs so far, the current one included.
 * @param failed text of `nrq_attempts`
 * @param round text of `nrq_round`
 */
export function runsOf(
  status: JobStatus,
  failed: string | undefined,
  round: string | undefined,
): number {
  const count = (Number(failed ?? 0) || 0) + (round ? decodeRound(round).done : 0);
  return status === 'started' || status === 'finished' ? count + 1 : count;
}

export function dateOf(text: string | undefined): Date | undefined {
  const time = timeOf(text);
  return time === undefined ? undefined : new Date(time);
}

export function wholeNumber(text: string | undefined): number | undefined {
  return text && Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
}

/** Reads the answer of HGETALL; undefined when there is no such job. */
export function decodeRecord(id: string, reply: unknown): JobRecord | undefined {
  // RESP3 connections answer HGETALL with a map, which ioredis hands over flat or as an object.
  const list = Array.isArray(reply)
    ? (reply as Buffer[])
    : Object.entries(reply as Record<string, Buffer>).flatMap(([name, value]) => [
        Buffer.from(name),
        value,
      ]);
  if (list.length === 0) return undefined;
  const record = new JobRecord(id, list);
  return record.exists ? record : undefined;
}

/** One entry of RQ's result stream. */
export interface ResultEntry {
  readonly type: 'finished' | 'failed';
  readonly at: Date;
  /** The value, of a finished run. */
  readonly value?: unknown;
  /** The traceback, of a failed run. */
  readonly failure?: string;
}

/** Reads entries of `rq:results:ID`, oldest first; entries of unknown kinds are left out. */
export function decodeResults(entries: readonly [Buffer, Buffer[]][]): ResultEntry[] {
  return entries.flatMap(([entryId, values]): ResultEntry[] => {
    const fields = new Map<string, Buffer>();
    for (let at = 0; at + 1 < values.length; at += 2) {
      fields.set((values[at] as Buffer).toString(), values[at + 1] as Buffer);
    }
    const at = new Date(Number.parseInt(entryId.toString(), 10));
    const type = fields.get('type')?.toString();
    if (type === '1') {
      const value = fields.get('return_value');
      return [
        { type: 'finished', at, value: value ? decodeStreamedResult(value.toString()) : null },
      ];
    }
    if (type === '2' || type === '3' || type === '5') {
      return [{ type: 'failed', at, failure: decodeStreamedFailure(fields.get('exc_string')) }];
    }
    return [];
  });
}

/** Base64 of JSON; a result that is none (a pickle) is undefined. */
export function decodeStreamedResult(base64: string): unknown {
  try {
    return parsePythonJson(Buffer.from(base64, 'base64').toString());
  } catch {
    return undefined;
  }
}

export function decodeStreamedFailure(base64: Buffer | undefined): string {
  if (!base64) return '';
  try {
    const deflated = Buffer.from(base64.toString(), 'base64');
    return inflateSync(deflated, { maxOutputLength: 1 << 20 }).toString();
  } catch {
    return '';
  }
}

function jsonIn(text: string | undefined): unknown {
  try {
    return text ? parsePythonJson(text) : undefined;
  } catch {
    return undefined;
  }
}
