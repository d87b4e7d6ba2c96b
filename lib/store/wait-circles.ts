import type { RedisAccess } from '../redis/access.js';
import type { Keyspace } from '../wire/keyspace.js';
import type { WaitCircle } from './figure-store.js';

/** A job that waits; `for`: what is pending of its parents, ids or `@` and a group's name. */
export interface WaitingJob {
  readonly id: string;
  readonly queue: string;
  readonly group: string | undefined;
  readonly for: readonly string[];
}

/** Reads up to so many deferred jobs of these queues. A job that waits for many counts as several. */
export async function readWaiting(
  connections: RedisAccess,
  keys: Keyspace,
  { queues, most }: { readonly queues: readonly string[]; readonly most: number },
): Promise<WaitingJob[]> {
  const waiting: WaitingJob[] = [];
  let left = most;
  for (const queue of queues) {
    for (let first = 0; left > 0; first += READ_AT_ONCE) {
      const what = `look at deferred jobs of queue "${queue}"`;
      const page = await connections.run(what, async (redis) => {
        const range = [String(first), String(first + READ_AT_ONCE - 1)] as const;
        const ids = await redis.zrange(keys.queue(queue).deferred, ...range);
        return Promise.all(
          ids.map(async (id) => {
            const [[status, group], pending] = await Promise.all([
              redis.hmget(keys.job(id), 'status', 'group_id').catch(() => []),
              redis.smembers(keys.dependencies(id)).catch(() => []),
            ]);
            return { id, queue, status, group: group || undefined, for: pending };
          }),
        );
      });
      for (const { status, ...job } of page) {
        left -= 1 + job.for.length / PARENTS_AS_ONE;
        if (status === 'deferred') waiting.push(job);
      }
      if (page.length < READ_AT_ONCE) break;
    }
  }
  return waiting;
}

const READ_AT_ONCE = 200;
const PARENTS_AS_ONE = 10;

/** Finds jobs of which each waits for another one of them. */
export function findCircle(waiting: readonly WaitingJob[]): WaitCircle | undefined {
  const jobs = new Map(waiting.map((job) => [job.id, job]));
  const waitsFor = new Map<string, string[]>();
  for (const { id, group, for: pending } of waiting) {
    waitsFor.set(id, [...pending]);
    if (group !== undefined) listAt(waitsFor, `@${group}`).push(id);
  }
  const stuck = withoutEnd(waitsFor);
  const path = new Set<string>();
  let [node] = stuck;
  while (node !== undefined && !path.has(node)) {
    path.add(node);
    node = waitsFor.get(node)?.find((next) => stuck.has(next));
  }
  if (node === undefined) return undefined;
  const circle = [...path].slice([...path].indexOf(node));
  const job = jobs.get(circle.find((one) => jobs.has(one)) ?? '');
  const group = circle.find((one) => one.startsWith('@'))?.slice(1);
  if (!job || group === undefined) return undefined;
  const count = [...stuck].filter((one) => jobs.has(one)).length;
  return { jobs: count, id: job.id, queue: job.queue, group };
}

/** What is left when all that waits for nothing is left out, then what waited for that alone, and so on. */
function withoutEnd(waitsFor: ReadonlyMap<string, readonly string[]>): Set<string> {
  const left = new Set(waitsFor.keys());
  const waitingFor = new Map<string, string[]>();
  const counts = new Map<string, number>();
  for (const [node, nodes] of waitsFor) {
    const known = nodes.filter((one) => waitsFor.has(one));
    counts.set(node, known.length);
    for (const one of known) listAt(waitingFor, one).push(node);
  }
  const free = [...left].filter((node) => counts.get(node) === 0);
  // It grows as it is gone through.
  for (const node of free) {
    left.delete(node);
    for (const next of waitingFor.get(node) ?? []) {
      const count = (counts.get(next) ?? 0) - 1;
      counts.set(next, count);
      if (count === 0) free.push(next);
    }
  }
  return left;
}

function listAt(lists: Map<string, string[]>, key: string): string[] {
  const list = lists.get(key) ?? [];
  lists.set(key, list);
  return list;
}
