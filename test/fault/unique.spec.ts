// Unique jobs under many processes at once, beside workers that take the same jobs in the same moment, and with workers
// that are killed.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobOptions } from '../../lib/index.js';
import { startChild } from '../support/children.js';
import { eventually } from '../support/wait.js';
import { Scene } from './scene.js';

interface Given {
  readonly id: string;
  readonly isNew?: boolean;
  readonly code?: string;
}

/** Of workers that nobody kills: they lose no lease on a busy machine either. */
const LIVING = { lease: 5 };

describe('unique jobs', () => {
  let scene: Scene;

  beforeEach(async () => {
    scene = await Scene.open();
  });

  afterEach(async () => {
    await scene.close();
  });

  /** 1000 calls from 4 processes, all at once. */
  async function enqueueFromFour(options: JobOptions): Promise<Given[]> {
    const producers = [0, 1, 2, 3].map((index) =>
      startChild(new URL('./unique-producer.mjs', import.meta.url), {
        usesEngine: true,
        env: {
          UNIQUE_PRODUCER: JSON.stringify({
            url: scene.redis.url,
            first: 1000 * index,
            count: 250,
            options,
          }),
        },
      }),
    );
    for (const producer of producers) {
      const wait = { what: 'ready', timeout: 30_000 };
      await producer.waitFor<{ ready?: boolean }>(({ ready }) => ready === true, wait);
    }
    for (const producer of producers) producer.send({ go: true });
    const given = await Promise.all(
      producers.map((producer) =>
        producer.waitFor<{ given?: Given[] }>((message) => message.given !== undefined, {
          what: 'what it was given',
          timeout: 20_000,
        }),
      ),
    );
    for (const producer of producers) await producer.exited;
    return given.flatMap((message) => message.given ?? []);
  }

  const newIds = (given: readonly Given[]) =>
    given.filter(({ isNew }) => isNew).map(({ id }) => id);
  const stored = async () => (await scene.client.keys('rq:job:*')).length;

  const single: [string, JobOptions][] = [
    ['by a key', { unique: { by: 'a' } }],
    ['by name and data', { unique: {} }],
    ['for a time', { unique: { by: 'a', for: '1h' } }],
    ['that take the newest data', { unique: { by: 'a', replace: true } }],
    ['that take the newest data and wait anew', { unique: { by: 'a', replace: true }, delay: 60 }],
    ['until they start', { unique: { by: 'a', until: 'started' } }],
  ];

  it.each(single)('%s: of 1000 calls from 4 processes one stores a job', async (_, options) => {
    const given = await enqueueFromFour(options);
    expect(given).toHaveLength(1000);
    expect(newIds(given)).toHaveLength(1);
    expect(new Set(given.map(({ id }) => id)).size).toBe(1);
    expect(await stored()).toBe(1);
  });

  it("else 'error': 999 are told which job is there", async () => {
    const given = await enqueueFromFour({ unique: { by: 'a', else: 'error' } });
    const [id] = newIds(given);
    expect(given.filter(({ code }) => code === 'RQ_DUPLICATE_JOB')).toHaveLength(999);
    expect(new Set(given.map((one) => one.id))).toEqual(new Set([id]));
    expect(await stored()).toBe(1);
  });

  it('each new one runs once beside workers, and no two of a key at the same time', async () => {
    await Promise.all([scene.worker('first', LIVING), scene.worker('second', LIVING)]);
    const given = await enqueueFromFour({ unique: { by: 'a' } });
    await scene.drained();
    const ran = scene.journal.of('run').map(({ id }) => id);
    expect(ran).toHaveLength(newIds(given).length);
    expect(new Set(ran)).toEqual(new Set(newIds(given)));
    // A run ends in the journal before Redis knows, and begins after Redis knows.
    const turns = scene.journal.entries().filter(({ event }) => event === 'run' || event === 'end');
    turns.forEach(({ event }, index) => expect(event).toBe(index % 2 === 0 ? 'run' : 'end'));
    expect(await scene.client.exists('rq:nrq:unique:work')).toBe(0);
  });

  it('replace against a claim in the same instant: no data are lost, and none run twice', async () => {
    await Promise.all([scene.worker('first', LIVING), scene.worker('second', LIVING)]);
    const queue = scene.queue();
    const last = new Map<string, number>();
    // Until both kinds have happened: some find a job that waits, some are too late.
    for (let value = 0; value < 1500 || last.size <= 10; value += 1) {
      const { id } = await queue.enqueue('act', { value }, { unique: { by: 'a', replace: true } });
      last.set(id, value);
    }
    await scene.drained();
    const runs = scene.journal.of('run').map(({ id = '', value = -1 }) => [id, value] as const);
    expect(runs).toHaveLength(last.size);
    expect(new Map(runs)).toEqual(last);
    expect(last.size).toBeGreaterThan(10);
  });

  it('a killed worker’s job keeps the key until it has failed for good', async () => {
    const queue = scene.queue();
    const unique = { by: 'a' };
    const job = await queue.enqueue('act', { dies: true }, { unique });
    const victim = scene.begin('victim', { maxCrashes: 2 });
    await victim.child.exited;
    victim.wasKilled = true;
    expect(await queue.enqueue('act', {}, { unique })).toMatchObject({ id: job.id, isNew: false });

    const second = scene.begin('second victim', { maxCrashes: 2 });
    await second.child.exited;
    second.wasKilled = true;
    await scene.worker('sweeper', { maxCrashes: 2 });
    await scene.when('poisoned', { id: job.id });
    const next = await queue.enqueue('act', {}, { unique });
    expect(next.isNew).toBe(true);
    await scene.when('finished', { id: next.id });
  });

  it('a worker that is killed at any moment blocks no key', async () => {
    const queue = scene.queue();
    let current = scene.begin('worker 0');
    let killed = 0;
    const begun = Date.now();
    const given: string[] = [];
    while (killed < 5) {
      const { id, isNew } = await queue.enqueue('act', { takes: 1 }, { unique: { by: 'a' } });
      if (isNew) given.push(id);
      if (Date.now() - begun > 400 * (killed + 1)) {
        await current.kill();
        killed += 1;
        current = scene.begin(`worker ${killed}`);
      }
    }
    await scene.drained();
    const next = await queue.enqueue('act', {}, { unique: { by: 'a' } });
    expect(next.isNew).toBe(true);
    await scene.drained();
    await eventually(async () => (await next.status()) === 'finished', { what: 'the last job' });
    expect(await scene.audit([...given, next.id].map((id) => ({ id })))).toEqual([]);
  });
});
