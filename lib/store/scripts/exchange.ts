import { type Outcome, causeOf } from '../../job/index.js';
import { DEFAULT_FAILURE_TTL, DEFAULT_RESULT_TTL } from '../../job/rq-defaults.js';
import { type ClaimedFields, decodeClaims } from '../../wire/claim.js';
import { ClaimedJob } from '../../wire/claimed-job.js';
import {
  encodeAttempt,
  encodeRound,
  ownRetry,
  streamedFailure,
  streamedResult,
} from '../../wire/fields.js';
import { encodeEvent } from '../../wire/event.js';
import type { ExchangeReply, ExchangeRequest, SettleRequest, WorkerStore } from '../job-store.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { RedisAccess } from '../../redis/access.js';
import { pushLanes, pushLevels, roomsText } from './exchange-lanes.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { exchange } from './compiled.js';

/** `exchange.lua` as types: the one place that knows its arguments and its reply. */
export const EXCHANGE = new Script(exchange);

export function encodeExchange(
  request: ExchangeRequest,
  place: ExchangePlace & Pick<WorkerStore, 'maxPayloadBytes'>,
): ScriptValue[] {
  const values = EXCHANGE.values({
    prefix: place.keyspace.prefix,
    channels: place.keyspace.channels,
    queue: place.queue,
    suspended: place.keyspace.suspended,
    lease: request.leaseMs,
    worker: request.worker,
    token: request.token,
    next_execution: request.nextExecution,
    want: request.want,
    ahead: request.ahead ?? 0,
    rooms: roomsText(request.rooms),
    call_slot: request.call?.slot ?? '',
    call_number: request.call?.number ?? '',
    call_is_repeated: request.call?.isRepeated ? '1' : '',
    calls_kept: request.call?.renewsNotes ? CALLS_KEPT : '',
    takes_suspect: request.suspects.takes ? '1' : '',
    suspect_crashes: request.suspects.from,
    suspect_delay: request.suspects.delay,
    execution_ttl: executionTtl(place, request.leaseMs),
    max_payload: place.maxPayloadBytes,
  });
  values.push(request.woken.length);
  for (const id of request.woken) values.push(id);
  const signs = place.signs?.keysFor(place.queue, request.outcomes.length) ?? NONE;
  if (signs.length > 0) values.push('signs', signs.length, ...signs);
  pushLanes(values, request);
  pushLevels(values, request);
  pushOutcomes(values, request, place.shared);
  values.push(request.events.length);
  for (const { event, outcome } of request.events) {
    values.push(encodeEvent(event), outcome === undefined ? 0 : outcome + 1);
  }
  return values;
}

/** Where a script acts, and for whom it writes. */
export interface ExchangePlace {
  readonly keyspace: Keyspace;
  readonly queue: string;
  /** Python reads this Redis, too: all results go to RQ's streams, and RQ's records of executions are kept. */
  readonly shared: boolean;
  /** Which keys tell whether any job waits for others, when so many have ended; none: look at those that have. */
  readonly signs?: { keysFor(queue: string, ended: number): readonly string[] };
}

/**
 * Seconds for which RQ's records of an execution are kept; empty: there are none. RQ keeps the set of a job's executions
 * for the time between two renewals and two minutes.
 */
export function executionTtl(
  { shared }: Pick<ExchangePlace, 'shared'>,
  leaseMs: number,
): ScriptValue {
  return shared ? Math.ceil(leaseMs / 1000) + 120 : '';
}

/** @param travelled for how many milliseconds the reply was on its way */
export function decodeExchange(
  queue: string,
  { token, nextExecution }: ExchangeRequest,
  reply: unknown,
  travelled: number,
): ExchangeReply {
  const [
    refused,
    claimed,
    dropped,
    nextDue,
    state,
    now,
    failure,
    listened,
    long,
    leftOver,
    opensIn,
  ] = reply as [
    (number | Buffer)[],
    Buffer,
    Buffer[],
    Buffer,
    Buffer,
    number,
    Buffer,
    Buffer,
    (Buffer | number)[],
    Buffer | undefined,
    Buffer | undefined,
  ];
  const due = optionalNumber(nextDue);
  return {
    refused:
      refused.length === 0
        ? NONE
        : pairs(refused, (index, status) => ({ index: Number(index) - 1, status })),
    claimed: claimedJobs(queue, token, nextExecution, decodeClaims(claimed, long)),
    dropped:
      dropped.length === 0 ? NONE : pairs(dropped, (id, reason) => ({ id: id.toString(), reason })),
    nextDue: due === undefined ? undefined : Math.max(0, due - travelled),
    paused: state.equals(PAUSED),
    more: state.equals(MORE),
    limited: state.equals(LIMITED),
    now,
    failure: failure.length === 0 ? undefined : failure.toString(),
    listened: listened.length > 0,
    leftOver: leftOver !== undefined && leftOver.length > 0,
    opensIn: opensIn === undefined ? undefined : Number(opensIn),
  };
}

/** Each under the name of its execution: the worker's token, and 16 hexadecimal digits. */
function claimedJobs(
  queue: string,
  token: string,
  nextExecution: number,
  claims: readonly ClaimedFields[],
): ClaimedJob[] {
  let digits = 0;
  let head = '';
  return claims.map((fields, index) => {
    const number = (nextExecution + index).toString(16);
    if (number.length !== digits) {
      digits = number.length;
      head = token + '0'.repeat(16 - digits);
    }
    return new ClaimedJob(queue, head + number, fields);
  });
}

/**
 * What Redis refuses inside of the script does not make it fail. Here the links hear of it, and rights that are missing
 * get their names: Redis does not say which they are.
 */
export async function refusalsTold(
  reply: ExchangeReply,
  connections: Pick<RedisAccess, 'rights' | 'refused'>,
): Promise<ExchangeReply> {
  const told = async (refusal: string) => {
    connections.refused(refusal);
    return connections.rights.named(refusal);
  };
  const refused = await Promise.all(
    reply.refused.map(async ({ index, status }) => {
      if (!status.startsWith('error ')) return { index, status };
      return { index, status: `error ${await told(status.slice('error '.length))}` };
    }),
  );
  return { ...reply, refused, failure: reply.failure && (await told(reply.failure)) };
}

/** Turns a flat list of (something, text) into objects. */
export function pairs<Item>(
  list: readonly (number | Buffer)[],
  item: (first: number | Buffer, second: string) => Item,
): Item[] {
  const items: Item[] = [];
  for (let at = 0; at < list.length; at += 2) {
    items.push(item(list[at] as number | Buffer, String(list[at + 1])));
  }
  return items;
}

/** A number as text; empty: none. */
export function optionalNumber(text: Buffer): number | undefined {
  return text.length === 0 ? undefined : Number(text);
}

/** Seconds, renewed each hour: a longer outage would leave open what became of the calls before it. */
const CALLS_KEPT = 86_400;

const NONE: [] = [];
const PAUSED = Buffer.from('paused');
const MORE = Buffer.from('more');
const LIMITED = Buffer.from('limited');

/** Longer results travel by themselves: a run is looked through character by character. */
const LONGEST_IN_RUN = 200;

function pushOutcomes(
  values: ScriptValue[],
  { outcomes, token }: ExchangeRequest,
  shared: boolean,
): void {
  const countAt = values.length;
  let count = 0;
  values.push(count);
  const runs: Run[] = [];
  let run: Run | undefined;
  for (const settled of outcomes) {
    const { job, outcome } = settled;
    const isStreamed = belongsInStream(job, shared);
    const execution = job.execution.slice(token.length);
    const fitsInRun = !isStreamed && !job.hasMore && !job.id.includes('\n');
    if (outcome.type === 'finished' && fitsInRun && isShort(outcome.result)) {
      const { result = '' } = outcome;
      const ttl = job.resultTtl ?? DEFAULT_RESULT_TTL;
      const place = placeOf(job);
      if (run?.ttl !== ttl || run.place !== place) {
        count += 1;
        values.push('finished', ttl, place, '');
        run = { ttl, place, textAt: values.length - 1, lines: [] };
        runs.push(run);
      }
      run.lines.push(job.id, execution, result);
    } else {
      count += 1;
      run = undefined;
      values.push('one', job.id, execution, outcome.type);
      pushOutcome(values, settled, isStreamed);
    }
  }
  for (const { textAt, lines } of runs) values[textAt] = `${lines.join('\n')}\n`;
  values[countAt] = count;
}

/** Jobs that finished one after the other and are kept in the same way. */
interface Run {
  readonly ttl: number;
  readonly place: string;
  readonly textAt: number;
  readonly lines: string[];
}

/** Where the result goes, and what hangs on the job. */
function placeOf(job: ClaimedJob): string {
  if (job.hasMore) return 'hash of more';
  return job.isMember ? 'hash of member' : 'hash';
}

/** Where Python looks for a result: in RQ's stream, never in the job itself. */
function belongsInStream(job: ClaimedJob, shared: boolean): boolean {
  return shared || job.isSavedByPython;
}

function isShort(result: string | undefined): boolean {
  return result === undefined || result.length <= LONGEST_IN_RUN;
}

/** In the order of OUTCOME_COLUMNS. */
function pushOutcome(values: ScriptValue[], settled: SettleRequest, streamed: boolean): void {
  const { job, outcome } = settled;
  switch (outcome.type) {
    case 'finished': {
      const { result } = outcome;
      const ttl = job.resultTtl ?? DEFAULT_RESULT_TTL;
      if (streamed) {
        const text = result === undefined ? '' : streamedResult(result);
        values.push(5, ttl, 'stream', text, ...secondsOf(settled));
      } else {
        values.push(3, ttl, placeOf(job), result ?? '');
      }
      return;
    }
    case 'repeating':
      pushRepeat(values, settled, outcome, streamed);
      return;
    case 'failed':
    case 'stopped': {
      const { failure } = outcome;
      const text = streamed ? streamedFailure(failure.stack) : '';
      const record = encodeAttempt(outcome.type, failure, settled);
      const place = streamed ? 'stream' : 'hash';
      values.push(
        9,
        job.failureTtl ?? DEFAULT_FAILURE_TTL,
        place,
        failure.stack,
        text,
        job.failures + 1,
        record,
        ...secondsOf(settled),
        causeOf(settled.name ?? '', failure),
      );
      return;
    }
    case 'retrying':
      values.push(10);
      pushRetry(values, settled, outcome);
      return;
    case 'snoozed': {
      const { delay, scope = 'job', name = '' } = outcome;
      values.push(3, delay, scope, name);
      return;
    }
    case 'sorted':
      values.push(2, outcome.lane, outcome.gate);
      return;
    case 'released':
      values.push(0);
      return;
    case 'canceled':
      values.push(2, job.failureTtl ?? DEFAULT_FAILURE_TTL, outcome.reason);
  }
}

/** When the run began and ended, as RQ's streams hold it. */
function secondsOf({ startedAt, endedAt }: SettleRequest): [string, string] {
  return [(startedAt / 1000).toFixed(3), (endedAt / 1000).toFixed(3)];
}

function pushRepeat(
  values: ScriptValue[],
  settled: SettleRequest,
  { result, delay, repeatsLeft }: Outcome & { type: 'repeating' },
  streamed: boolean,
): void {
  const { job } = settled;
  const ttl = job.resultTtl ?? DEFAULT_RESULT_TTL;
  // What is not kept at the end is kept in the hash until then.
  const isInStream = streamed && ttl !== 0;
  const text = isInStream && result !== undefined ? streamedResult(result) : (result ?? '');
  const { done, retries } = job.round;
  const round = encodeRound({
    done: done + 1,
    at: Math.round(settled.endedAt + delay),
    retries,
    streamed: isInStream,
  });
  const givenBack = job.hasHandlersRetry ? '' : (retries ?? 'keep');
  values.push(
    9,
    ttl,
    isInStream ? 'stream' : 'hash',
    text,
    ...secondsOf(settled),
    delay,
    repeatsLeft - 1,
    round,
    job.isRepeatOfOurs ? givenBack : 'keep',
  );
}

function pushRetry(
  values: ScriptValue[],
  settled: SettleRequest,
  outcome: Outcome & { type: 'retrying' },
): void {
  const { job } = settled;
  const record = encodeAttempt('retrying', outcome.failure, settled, outcome.delay);
  values.push(outcome.delay, outcome.front ? 'front' : 'back', job.failures + 1, record);
  const { policy } = outcome;
  if (outcome.returned) {
    values.push('', '', '', '1');
  } else if (policy) {
    // From now on the job brings the policy itself, wherever it runs next.
    const own = {
      ...JSON.parse(ownRetry(policy) || '{}'),
      by: 'handler',
      front: policy.front || undefined,
      since: job.retriesRenewedAt,
    };
    values.push(policy.max - 1, JSON.stringify(policy.intervals), JSON.stringify(own), '');
  } else {
    const left = job.retry?.max ?? 1;
    // How many there were, so that a requeue can give as many again.
    const own = job.firstRetries === undefined ? { ...job.ownRetry, max: left } : undefined;
    values.push(left - 1, '', own ? JSON.stringify(own) : '', '');
  }
  values.push(job.crashes > 0 ? '1' : '', outcome.most ?? '');
}
