import {
  JobCanceledError,
  JobFailedError,
  RqConnectionError,
  UnserializableDataError,
  assertJobId,
  assertJobName,
  assertQueueName,
  describeFailure,
  isJobStatus,
  toMilliseconds,
} from '../../../lib/job/index.js';
import * as lines from '../../../lib/nest/log-lines.js';
import { attemptsOf } from '../../../lib/queue/job-attempts.js';
import { headersOf } from '../../../lib/queue/index.js';
import { decodeCall } from '../../../lib/wire/call.js';
import { decodeEvent } from '../../../lib/wire/event.js';
import { decodeAttempt } from '../../../lib/wire/fields.js';
import { JobRecord, decodeResults } from '../../../lib/wire/job-record.js';
import { decodeMeta } from '../../../lib/wire/meta.js';
import { parsePythonJson } from '../../../lib/wire/python-json.js';
import { decodeSettled } from '../../../lib/wire/settled-message.js';
import { timeOf } from '../../../lib/wire/stored-text.js';
import { parseCommand } from '../../../lib/worker/upkeep/worker-commands.js';
import { claimedJob } from '../support/claimed-job.js';

/**
 * Text that anybody may have put into Redis, or that a handler throws, must not cost more than its length. What is
 * compared is the work for a text and for one ten times as long: with a linear parser it grows tenfold, with a
 * quadratic one a hundredfold.
 */
const SHORT = 10_000;
const LONG = 10 * SHORT;
const MOST_TIMES_AS_MUCH = 40;
/** Milliseconds. What takes less for the short text is not measured well enough to be compared. */
const LEAST = 2;

const MAX_BYTES = 10 * 1024 * 1024;

function errorWith(fields: object): Error {
  return Object.assign(new Error('x'), fields);
}

const PARSERS: Record<string, (text: string) => unknown> = {
  parsePythonJson,
  decodeSettled,
  'decodeSettled, its value': (text) => decodeSettled(`a finished json ${text}`),
  'decodeSettled, its id': (text) => decodeSettled(`${text} finished json 1`),
  'decodeSettled, Base64': (text) => decodeSettled(`a finished base64 ${text}`),
  decodeEvent: (text) => decodeEvent('q', text),
  'decodeEvent, its reason': (text) =>
    decodeEvent(
      'q',
      JSON.stringify({ type: 'canceled', jobId: 'a', name: 'b', attempt: 1, at: 1, reason: text }),
    ),
  decodeMeta: (text) => decodeMeta(Buffer.from(text), MAX_BYTES),
  'decodeMeta of a pickle': (text) => decodeMeta(Buffer.from(`\u0080${text}`, 'latin1'), MAX_BYTES),
  decodeCall: (text) => decodeCall('a', Buffer.from(text), MAX_BYTES),
  decodeAttempt,
  decodeResults: (text) =>
    decodeResults([[Buffer.from(text), ['type', '1', 'return_value', text].map(buffer)]]),
  'decodeResults of a failure': (text) =>
    decodeResults([[Buffer.from('1-0'), ['type', '2', 'exc_string', text].map(buffer)]]),
  'a claimed job': (text) => {
    const stored = Object.fromEntries(STORED_FIELDS.map((field) => [field, text]));
    const job = claimedJob({ retries_left: '1', ...stored });
    return [job.timeout, job.retry, job.retryDecided, job.createdAt, job.resultTtl, job.failureTtl];
  },
  'a record': (text) => {
    const names = ['data', 'status', 'created_at', 'result', 'exc_info', 'nrq_progress', text];
    const record = new JobRecord(
      'a',
      names.flatMap((name) => [buffer(name), buffer(text)]),
    );
    return [record.status, record.createdAt, record.attempts, attemptsOf(record, [])];
  },
  parseCommand,
  timeOf,
  isJobStatus,
  headersOf: (text) => headersOf({ headers: { [text]: text } }),
  toMilliseconds: (text) => toMilliseconds(text, 'delay'),
  assertJobId: (text) => assertJobId(text),
  assertJobName: (text) => assertJobName(text),
  assertQueueName: (text) => assertQueueName(text),
  'describeFailure of a text': (text) => describeFailure(text),
  'describeFailure of a message': (text) => describeFailure(errorWith({ message: text })),
  'describeFailure of a stack': (text) => describeFailure(errorWith({ stack: text })),
  'describeFailure of a name': (text) => describeFailure(errorWith({ name: text })),
  'describeFailure of many causes': (text) =>
    describeFailure(
      errorWith({ errors: Array.from({ length: 20 }, () => errorWith({ stack: text })) }),
    ),
  JobFailedError: (text) => new JobFailedError({ jobId: 'a', reason: text }),
  'JobFailedError of Python': (text) =>
    new JobFailedError({ jobId: 'a', reason: `Traceback\n${text}` }),
  JobCanceledError: (text) => new JobCanceledError({ jobId: 'a', reason: text }).message.length,
  RqConnectionError: (text) => new RqConnectionError({ action: 'x', reason: new Error(text) }),
  UnserializableDataError: (text) =>
    new UnserializableDataError({ name: text, queue: 'q', cause: new Error(text) }),
  'the log of a problem': (text) => lines.problem({ message: 'x', error: new Error(text) }),
};

const STORED_FIELDS = [
  'timeout',
  'retry_intervals',
  'nrq_retry',
  'created_at',
  'result_ttl',
  'failure_ttl',
];

const PIECES = [
  'a',
  ' ',
  '\n',
  '\n    ',
  '\n at ',
  '"',
  '\\',
  '\\"',
  '"\\',
  '[',
  '{"a":',
  'NaN',
  '-',
  'NaN"',
  '0',
  '.',
  '.0',
  ';',
  ';a',
  '\u001b',
  '\u001b[',
  '\u001b[;',
  '\u001b];',
  '\u009b1',
  'unserialized',
  'a://',
];
const HEADS = ['', '"', 'NaN"', '[NaN,', 'a '];

function buffer(text: string): Buffer {
  return Buffer.from(text);
}

/** Milliseconds that it takes at best; what is below `enough` is not measured any better. */
function work(parse: (text: string) => unknown, text: string, enough: number): number {
  let least = Infinity;
  for (let round = 0; round < 5; round += 1) {
    const startedAt = performance.now();
    try {
      parse(text);
    } catch {
      // Refused: that is an answer, too.
    }
    least = Math.min(least, performance.now() - startedAt);
    // Quick enough, or beyond all doubt: the process may have stood still once.
    if (least < enough || (least > 1000 && round > 0)) return least;
  }
  return least;
}

describe.each(Object.entries(PARSERS))('%s', (_, parse) => {
  it('does ten times the work for a text of ten times the length, not more', () => {
    for (const head of HEADS) {
      for (const piece of PIECES) {
        const text = (length: number) => head + piece.repeat(Math.ceil(length / piece.length));
        const milliseconds = work(parse, text(LONG), MOST_TIMES_AS_MUCH * LEAST);
        if (milliseconds < MOST_TIMES_AS_MUCH * LEAST) continue;
        const most = MOST_TIMES_AS_MUCH * Math.max(LEAST, work(parse, text(SHORT), LEAST));
        const what = `${JSON.stringify(piece)} repeated after ${JSON.stringify(head)}`;
        expect({ what, tooCostly: milliseconds > most && milliseconds }).toEqual({
          what,
          tooCostly: false,
        });
      }
    }
  });
});
