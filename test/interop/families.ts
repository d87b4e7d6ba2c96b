// Children of every kind, to see what becomes of them when their parents end.
import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
import type { IfFailed } from '../../lib/index.js';
import { eventually } from '../support/wait.js';
import type { BothSides } from './both-sides.js';

/** Ours, by what happens when a parent fails, and Python's, without and with `allow_failure`. */
export const KINDS = ['cancel', 'run', 'wait', 'python', 'allowing'] as const;
export type Kind = (typeof KINDS)[number];

/** That of the parents, another one, and one that only Python's workers serve. */
export const QUEUES = ['shared', 'other', 'python-only'] as const;

/** What is to become of each kind, on every queue. */
export type Expected = Readonly<Partial<Record<Kind, string>>>;

/** One child of each kind on each queue, all of the same parents. Nobody runs them unless a test has somebody do so. */
export class Family {
  private constructor(
    private readonly sides: BothSides,
    private readonly children: readonly Child[],
  ) {}

  /** @param kinds default: all */
  static async of(
    sides: BothSides,
    parents: readonly string[],
    kinds: readonly Kind[] = KINDS,
  ): Promise<Family> {
    const children: Child[] = [];
    for (const queue of QUEUES) {
      for (const kind of kinds) {
        children.push({ queue, kind, id: await enqueueChild(sides, queue, kind, parents) });
      }
    }
    return new Family(sides, children);
  }

  ids(kind: Kind): string[] {
    return this.children.filter((child) => child.kind === kind).map(({ id }) => id);
  }

  /**
   * Waits until each child is what it should be, for both languages.
   * @param expected by kind; kinds that are left out are not looked at
   * @param options.sweeps workers look at what nobody has told meanwhile, as they do every ten seconds
   */
  async becomes(expected: Expected, options: { sweeps?: boolean } = {}): Promise<void> {
    const wanted = this.children.filter(({ kind }) => expected[kind] !== undefined);
    const goal = wanted.map(({ queue, kind }) => `${queue} ${kind}: ${expected[kind]}`);
    let found: string[] = [];
    await eventually(
      async () => {
        if (options.sweeps) await sweep(this.sides);
        found = await Promise.all(
          wanted.map(async ({ queue, kind, id }) => {
            return `${queue} ${kind}: ${await stateOf(this.sides.client, queue, id)}`;
          }),
        );
        return found.join() === goal.join();
      },
      { what: 'the children', every: 20, timeout: 20_000 },
    ).catch(() => assert.deepEqual(found, goal));
    const there = await this.sides.python.run<string[]>(
      'return [str(fetch(id).get_status(refresh=True)).split(".")[-1].lower() for id in given]',
      wanted.map(({ id }) => id),
    );
    assert.deepEqual(
      there,
      wanted.map(({ kind }) => expected[kind]),
    );
  }

  /** Has Python's workers run all that is released; each note says which child it was. */
  async runInPython(): Promise<string[]> {
    await this.sides.python.worker(QUEUES, { burst: true });
    return (await this.sides.client.lrange('test:noted', 0, -1)).toSorted();
  }
}

interface Child {
  readonly queue: string;
  readonly kind: Kind;
  readonly id: string;
}

/** A child whose job is to note its own kind and queue. */
export async function enqueueChild(
  { nest, python }: BothSides,
  queue: string,
  kind: Kind,
  parents: readonly string[],
): Promise<string> {
  const note = `${queue} ${kind}`;
  if (kind === 'python' || kind === 'allowing') {
    return python.run<string>(
      `
      from rq.job import Dependency
      parents = Dependency(jobs=given['parents'], allow_failure=given['allows'])
      return queue(given['queue']).enqueue('tasks.note', given['note'], depends_on=parents).id
      `,
      { queue, parents, note, allows: kind === 'allowing' },
    );
  }
  const dependsOn = { jobs: parents, ifFailed: kind satisfies IfFailed };
  const job = await nest.queue(queue).enqueueCall('tasks.note', { args: [note] }, { dependsOn });
  return job.id;
}

/** Its status, and where it is if that is not where a job of this status belongs. */
export async function stateOf(client: Redis, queue: string, id: string): Promise<string> {
  const status = await client.hget(`rq:job:${id}`, 'status');
  const places: string[] = [];
  const queued = await client.lrange(`rq:queue:${queue}`, 0, -1);
  for (const other of queued) if (other === id) places.push('queued');
  for (const registry of ['deferred', 'canceled', 'scheduled', 'finished', 'failed']) {
    if ((await client.zscore(`rq:${registry}:${queue}`, id)) !== null) places.push(registry);
  }
  return places.join() === status ? status : `${status} in [${places.join()}]`;
}

/** Has workers look at jobs that wait, now, and at those of Python although they are young. */
export async function sweep({ client, nest }: BothSides): Promise<void> {
  for (const queue of QUEUES) {
    for (const id of await client.zrange(`rq:deferred:${queue}`, '0', '-1')) {
      const key = `rq:job:${id}`;
      if (await client.exists(key)) await client.hset(key, 'created_at', LONG_AGO);
    }
    await client.del(`rq:nrq:swept:${queue}`);
    await nest.store.recover(queue, { maxCrashes: 3, leaseMs: 15_000 });
  }
}

const LONG_AGO = '2026-01-01T00:00:00.000000Z';
