// The state of the job `j` in queue `jobs`, as far as a change may not be left half done.
import type { Redis } from 'ioredis';

const REGISTRIES = ['wip', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'];
const KEPT = ['finished', 'failed', 'canceled'];
const LISTS = ['rq:queue:jobs', 'rq:queue:jobs:intermediate'];

/** The keys that a script may touch, of a worker with this token. */
export const keysOf = (token: string) => [
  ...LISTS,
  ...REGISTRIES.map((name) => `rq:${name}:jobs`),
  'rq:queues',
  'rq:results:j',
  'rq:scheduler-lock:jobs',
  'rq:nrq:waiting:jobs',
  `rq:nrq:calls:jobs:${token}`,
  'rq:nrq:stops:jobs',
  'rq:nrq:popped:jobs',
  'rq:nrq:alive:jobs',
  'rq:nrq:grace:jobs',
  'rq:executions:j',
  `rq:execution:j:${token}${'0'.repeat(16)}`,
  'rq:worker:w',
  'rq:workers',
  'rq:workers:jobs',
];

/** Those that hold a text. */
export const TEXTS = ['rq:scheduler-lock:jobs', 'rq:nrq:grace:jobs'];

/**
 * The state of the job `j`: its status, whether it has what a stored job has, and the places where it is. And of the
 * worker `w`. It is asked for in one trip; a key of another type holds nothing.
 */
export async function stateIn(client: Redis): Promise<string[]> {
  const soon = Date.now() / 1000 + 120;
  const trip = client.pipeline();
  trip.hmget('rq:job:j', 'status', 'data', 'nrq_progress').ttl('rq:job:j');
  for (const list of LISTS) trip.lrange(list, 0, -1);
  for (const registry of REGISTRIES) trip.zrange(`rq:${registry}:jobs`, '0', '-1');
  trip.zcount('rq:wip:jobs', soon, '+inf');
  for (const registry of KEPT) trip.zcount(`rq:${registry}:jobs`, soon, '(+inf');
  trip.zscore('rq:canceled:jobs', 'j').hlen('rq:nrq:stops:jobs');
  trip.hmget('rq:worker:w', 'state', 'successful_job_count', 'birth').ttl('rq:worker:w');
  trip.sismember('rq:workers', 'rq:worker:w');
  trip.ttl('rq:nrq:waiting:jobs').sismember('rq:nrq:waiting:jobs', 'j');
  const replies = ((await trip.exec()) ?? []).map(([error, reply]) => (error ? undefined : reply));
  const next = <Reply>(otherwise: Reply) => (replies.shift() as Reply | undefined) ?? otherwise;

  const [status, data, progress] = next<(string | null)[]>([]);
  const isKept = next(0) < 0;
  const found = [`status ${status}`, `data ${data !== null}`];
  for (const list of LISTS) for (const id of next<string[]>([])) found.push(`${list} ${id}`);
  for (const registry of REGISTRIES) {
    for (const member of next<string[]>([])) found.push(`${registry} ${member}`);
  }
  if (next(0) > 0) found.push('held for long');
  for (const _ of KEPT) if (next(0) > 0 && isKept) found.push('kept, but not in the registry');
  if (next<string>('') === '1') found.push('no end');
  if (next(0) > 0) found.push('to be stopped');
  if (progress !== null) found.push(`progress ${progress}`);
  const [state, count, birth] = next<(string | null)[]>([]);
  const isForEver = next(0) < 0;
  if (state) found.push(`worker ${state} ${count} ${birth !== null}`);
  if (state && isForEver) found.push('worker for ever');
  if (next<number>(0) === 1) found.push('rq:workers w');
  const isWatched = next(0) > 0;
  const isIn = next<number>(0) === 1;
  if (isWatched) found.push('watched');
  else if (isIn) found.push('watched for ever');
  return found;
}
