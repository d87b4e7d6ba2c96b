// The state of the job `j` in queue `jobs`, as far as a change may not be left half done.
import type { Redis } from 'ioredis';

const REGISTRIES = ['wip', 'scheduled', 'deferred', 'finished', 'failed', 'canceled'];
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
 * worker `w`.
 */
export async function stateIn(client: Redis): Promise<string[]> {
  const found: string[] = [];
  const [status, data] = await client.hmget('rq:job:j', 'status', 'data');
  found.push(`status ${status}`, `data ${data !== null}`);
  for (const list of LISTS) {
    const ids = await client.lrange(list, 0, -1).catch(() => []);
    for (const id of ids) found.push(`${list} ${id}`);
  }
  for (const registry of REGISTRIES) {
    const key = `rq:${registry}:jobs`;
    const members = await client.zrange(key, '0', '-1').catch(() => []);
    for (const member of members) found.push(`${registry} ${member}`);
  }
  const soon = Date.now() / 1000 + 120;
  const isHeld = await client.zcount('rq:wip:jobs', soon, '+inf').catch(() => 0);
  if (isHeld > 0) found.push('held for long');
  for (const registry of ['finished', 'failed', 'canceled']) {
    const ends = await client.zcount(`rq:${registry}:jobs`, soon, '(+inf').catch(() => 0);
    if (ends > 0 && (await client.ttl('rq:job:j')) < 0) found.push('kept, but not in the registry');
  }
  if ((await client.zscore('rq:canceled:jobs', 'j').catch(() => null)) === '1')
    found.push('no end');
  const stops = await client.hlen('rq:nrq:stops:jobs').catch(() => 0);
  if (stops > 0) found.push('to be stopped');
  const progressed = await client.hget('rq:job:j', 'nrq_progress');
  if (progressed !== null) found.push(`progress ${progressed}`);
  const worker = await client
    .hmget('rq:worker:w', 'state', 'successful_job_count', 'birth')
    .catch(() => undefined);
  if (worker?.[0]) {
    found.push(`worker ${worker[0]} ${worker[1]} ${worker[2] !== null}`);
    if ((await client.ttl('rq:worker:w')) < 0) found.push('worker for ever');
  }
  if (await client.sismember('rq:workers', 'rq:worker:w').catch(() => 0))
    found.push('rq:workers w');
  if ((await client.ttl('rq:nrq:waiting:jobs')) > 0) found.push('watched');
  else if (await client.sismember('rq:nrq:waiting:jobs', 'j').catch(() => 0))
    found.push('watched for ever');
  return found;
}
