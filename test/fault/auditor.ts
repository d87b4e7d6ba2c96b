// The judge of the fault tests. After a fault, when everything has calmed down, it looks at all that is in Redis and
// at what the workers wrote into their journal, and names everything that breaks a promise to the user: a job that
// vanished (I1), one that is in two places or of which the status lies (I2), one that ran or was settled too often
// (I3), attempts that nobody can account for and retries that came too early (I4). An empty list is a pass.
import type { Redis } from 'ioredis';
import type { Entry } from './journal.js';

/** A job of which `enqueue` said that it is stored. */
export interface AcknowledgedJob {
  readonly id: string;
  /** How many retries its policy allows; undefined: not checked. */
  readonly retries?: number;
  /** It has `resultTtl: 0`: once it has run to its end it may be gone. */
  readonly vanishes?: boolean;
}

export interface AuditRequest {
  readonly client: Redis;
  readonly queues: readonly string[];
  readonly acknowledged: readonly AcknowledgedJob[];
  /** What the workers wrote; without it the runs are not checked. */
  readonly journal?: readonly Entry[];
  /** How many worker processes were killed: what they did last may be missing in the journal. */
  readonly killed?: number;
  /** Ids and elements that the test planted itself: their state is not judged. */
  readonly planted?: ReadonlySet<string>;
  /** False: jobs may still wait or run. True by default: they must all be settled. */
  readonly atRest?: boolean;
  readonly prefix?: string;
  /** A failover has lost the last writes: what was told of them may be told, and done, once more. */
  readonly rolledBack?: boolean;
}

/** Everything that breaks an invariant, as lines to read: `I1 job "a": ...`. */
export async function audit(request: AuditRequest): Promise<string[]> {
  const {
    client,
    queues,
    acknowledged,
    journal = [],
    planted = new Set(),
    atRest = true,
  } = request;
  const state = await snapshot(client, request.prefix ?? 'rq:', queues);
  const histories = historiesOf(journal);
  const violations: string[] = [];
  const accuse = (invariant: string, id: string, problem: string) =>
    violations.push(`${invariant} job "${id}": ${problem}`);

  for (const job of acknowledged) {
    const stored = state.jobs.get(job.id);
    const history = histories.get(job.id) ?? noHistory;
    if (!stored?.hasData) {
      if (!job.vanishes) accuse('I1', job.id, 'acknowledged, and gone');
      else if (!history.some(({ event, how }) => event === 'end' && how === 'returned'))
        accuse('I1', job.id, 'gone before it ran to its end');
    } else if (atRest && !SETTLED.has(stored.status)) {
      accuse('I1', job.id, `never settled, it is ${stored.status}`);
    }
    if (journal.length > 0) judgeRuns(job, stored, history, request, accuse);
  }
  for (const [id, places] of state.places) {
    if (planted.has(id)) continue;
    if (places.length > 1) accuse('I2', id, `in ${places.map(nameOf).join(' and ')} at once`);
    if (atRest && places.some(({ registry }) => registry === 'intermediate'))
      accuse('I2', id, 'left in the intermediate list');
    if (state.jobs.get(id)?.hasData) continue;
    if (places.some(({ ends }) => ends === undefined || ends > state.now + 1))
      accuse('I2', id, `in ${places.map(nameOf).join(' and ')} without a hash`);
  }
  for (const [id, { status, hasData, ttl }] of state.jobs) {
    if (planted.has(id)) continue;
    if (!hasData) {
      accuse('I2', id, 'a hash without data');
      continue;
    }
    const places = state.places.get(id) ?? [];
    if (places.length === 0 && ttl < 0) accuse('I2', id, `${status}, nowhere, and kept for ever`);
    if (places.length === 0 && !SETTLED.has(status)) accuse('I2', id, `${status}, but nowhere`);
    for (const { registry } of places) {
      if (!PLACES_OF[status]?.includes(registry))
        accuse('I2', id, `its status is ${status}, but it is in ${registry}`);
    }
  }
  for (const key of state.streamsForEver) violations.push(`I2 "${key}": results kept for ever`);
  return violations;
}

/** I3 and I4: what Redis counted must explain what the handlers saw. */
function judgeRuns(
  job: AcknowledgedJob,
  stored: StoredJob | undefined,
  history: readonly Entry[],
  { killed = 0, rolledBack = false }: Pick<AuditRequest, 'killed' | 'rolledBack'>,
  accuse: (invariant: string, id: string, problem: string) => void,
): void {
  const count = (event: Entry['event']) => history.filter((entry) => entry.event === event).length;
  const runs = count('run');
  // What was given back had been prefetched, or was interrupted: only the latter had run.
  const interrupted = history.filter(
    ({ event, reason }) => event === 'returned' && (reason === 'shutdown' || reason === 'snoozed'),
  ).length;
  const explained = stored?.hasData
    ? stored.attempts + stored.rounds + (SUCCEEDED.has(stored.status) ? 1 : 0) + interrupted
    : 1 + count('retrying') + count('requeued') + interrupted + killed;
  const settlements = new Map<number | undefined, number>();
  for (const { event, attempt } of history) {
    if (event === 'finished' || event === 'failed' || event === 'retrying')
      settlements.set(attempt, (settlements.get(attempt) ?? 0) + 1);
  }
  // What a failover has undone has been told, and was done once more.
  const toldAgain = [...settlements.values()].reduce((sum, times) => sum + times - 1, 0);
  const undone = rolledBack ? count('lost') + toldAgain : 0;
  if (runs > explained + undone)
    accuse('I3', job.id, `ran ${runs} times, of which ${explained} are accounted for`);
  for (const [attempt, times] of settlements) {
    if (times > 1 && !rolledBack) accuse('I3', job.id, `attempt ${attempt} settled ${times} times`);
  }

  if (
    stored?.hasData &&
    stored.attempts !== stored.records.length &&
    stored.attempts <= RECORDS_KEPT
  )
    accuse('I4', job.id, `${stored.attempts} attempts, but ${stored.records.length} on record`);
  const retried = stored?.hasData
    ? stored.records.filter((outcome) => outcome === 'retrying').length
    : rolledBack
      ? new Set(history.filter(({ event }) => event === 'retrying').map((one) => one.attempt)).size
      : count('retrying');
  if (job.retries !== undefined && retried > job.retries)
    accuse('I4', job.id, `${retried} retries of at most ${job.retries}`);
  for (const { attempt = 0, delay = 0 } of history.filter(({ event }) => event === 'retrying')) {
    const failed = history.find((entry) => entry.event === 'end' && entry.attempt === attempt);
    const next = history.find((entry) => entry.event === 'run' && entry.attempt === attempt + 1);
    if (failed && next && next.at < failed.at + delay - CLOCK_STEPS)
      accuse('I4', job.id, `its retry came ${failed.at + delay - next.at} ms early`);
  }
}

const SETTLED: ReadonlySet<string> = new Set(['finished', 'failed', 'stopped', 'canceled']);
/** The last run of these is not among the counted (failed) attempts. */
const SUCCEEDED: ReadonlySet<string> = new Set(['finished', 'canceled', 'started']);
const PLACES_OF: Readonly<Record<string, readonly string[]>> = {
  queued: ['queue', 'intermediate'],
  started: ['started'],
  scheduled: ['scheduled'],
  deferred: ['deferred'],
  finished: ['finished'],
  failed: ['failed'],
  stopped: ['failed'],
  canceled: ['canceled'],
};
/** As many failed attempts stay on record beside a job. */
const RECORDS_KEPT = 10;
/** Milliseconds: both clocks count in whole ones. */
const CLOCK_STEPS = 2;

const noHistory: readonly Entry[] = [];

function historiesOf(journal: readonly Entry[]): Map<string, Entry[]> {
  const histories = new Map<string, Entry[]>();
  for (const entry of journal) {
    if (entry.id === undefined) continue;
    const history = histories.get(entry.id);
    if (history) history.push(entry);
    else histories.set(entry.id, [entry]);
  }
  return histories;
}

interface StoredJob {
  readonly status: string;
  readonly hasData: boolean;
  /** Seconds, -1: for ever. */
  readonly ttl: number;
  /** Failed attempts, crashes included. */
  readonly attempts: number;
  /** Rounds of a job that repeats, but for the last one. */
  readonly rounds: number;
  /** How each attempt on record ended. */
  readonly records: readonly string[];
}

interface Place {
  readonly queue: string;
  readonly registry: string;
  /** When what is settled may be gone: seconds since the epoch. */
  readonly ends?: number;
}

interface Snapshot {
  /** Redis's clock, seconds since the epoch. */
  readonly now: number;
  readonly jobs: ReadonlyMap<string, StoredJob>;
  readonly places: ReadonlyMap<string, readonly Place[]>;
  readonly streamsForEver: readonly string[];
}

function nameOf({ queue, registry }: Place): string {
  return `${registry} of "${queue}"`;
}

/** All of it at one moment: a script, since jobs may be on their way. */
async function snapshot(
  client: Redis,
  prefix: string,
  queues: readonly string[],
): Promise<Snapshot> {
  const text = (await client.eval(SNAPSHOT, 0, prefix, ...queues)) as string;
  const { now, jobs, places, streams } = JSON.parse(text) as {
    now: number;
    jobs: [key: string, ttl: number, fields: string[]][];
    places: [queue: string, registry: string, member: string, score: string][];
    streams: string[];
  };
  const found = new Map<string, Place[]>();
  for (const [queue, registry, member, score] of Array.from(places)) {
    const id = registry === 'started' ? member.slice(0, member.lastIndexOf(':')) : member;
    const kept = registry === 'finished' || registry === 'failed';
    const ends = kept && Number(score) >= 0 ? Number(score) : undefined;
    found.set(id, [...(found.get(id) ?? []), { queue, registry, ends }]);
  }
  const stored = Array.from(jobs).map(([key, ttl, fields]): [string, StoredJob] => {
    const hash: Record<string, string> = {};
    for (let at = 0; at < fields.length; at += 2) hash[String(fields[at])] = String(fields[at + 1]);
    const records = Object.entries(hash).flatMap(([name, value]) =>
      name.startsWith('nrq_attempt:') ? [(JSON.parse(value) as { outcome: string }).outcome] : [],
    );
    const attempts = Number(hash.nrq_attempts ?? 0);
    const { done: rounds = 0 } = JSON.parse(hash.nrq_round ?? '{}') as { done?: number };
    const { status = 'queued' } = hash;
    return [key, { status, hasData: 'data' in hash, ttl, attempts, rounds, records }];
  });
  return { now, jobs: new Map(stored), places: found, streamsForEver: Array.from(streams) };
}

const SNAPSHOT = `
local prefix = ARGV[1]
local job_prefix = prefix .. 'job:'
local time = redis.call('TIME')
local answer = { now = tonumber(time[1]), jobs = {}, places = {}, streams = {} }
for _, key in ipairs(redis.call('KEYS', job_prefix .. '*')) do
  if redis.call('TYPE', key).ok == 'hash' then
    local fields = redis.call('HGETALL', key)
    -- The data may be binary, which is no JSON; only its presence matters.
    for index = 1, #fields, 2 do
      if not string.find(fields[index], '^nrq_') and fields[index] ~= 'status' then fields[index + 1] = '' end
    end
    table.insert(answer.jobs, { string.sub(key, #job_prefix + 1), redis.call('TTL', key), fields })
  end
end
for _, key in ipairs(redis.call('KEYS', prefix .. 'results:*')) do
  if redis.call('TYPE', key).ok == 'stream' and redis.call('TTL', key) == -1 then table.insert(answer.streams, key) end
end
for index = 2, #ARGV do
  local queue = ARGV[index]
  local lists = { queue = prefix .. 'queue:' .. queue, intermediate = prefix .. 'queue:' .. queue .. ':intermediate' }
  for name, key in pairs(lists) do
    for _, id in ipairs(redis.call('LRANGE', key, 0, -1)) do table.insert(answer.places, { queue, name, id, '' }) end
  end
  for _, name in ipairs({ 'started', 'scheduled', 'deferred', 'finished', 'failed', 'canceled' }) do
    local key = prefix .. (name == 'started' and 'wip' or name) .. ':' .. queue
    local members = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
    for at = 1, #members, 2 do table.insert(answer.places, { queue, name, members[at], members[at + 1] }) end
  end
end
return cjson.encode(answer)
`;
