// Redis that is there and says no, while workers work and producers produce (READONLY, OOM and LOADING are in
// redis-refuses.spec.ts). When it is well again, everything goes on by itself: nothing is lost, nothing
// runs twice, and each kind of trouble is told once.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually } from '../support/wait.js';
import { Load } from './load.js';
import { Scene } from './scene.js';

const connection = { commandTimeout: 1000, connectTimeout: 2000 };

let scene: Scene;
let dir: string;
let load: Load | undefined;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'rq-refuses-'));
  scene = await Scene.open({ dir, args: ['--busy-reply-threshold', '50'] });
  const settings = { connection, lease: 0.7 };
  await Promise.all([scene.worker('first', settings), scene.worker('second', settings)]);
});

afterEach(() => load?.stop());

afterAll(async () => {
  await scene.close();
  rmSync(dir, { recursive: true, force: true });
});

interface Refusal {
  /** As Redis's errors begin. */
  readonly error: string;
  readonly begin: () => Promise<unknown>;
  readonly end: () => Promise<unknown>;
}

const config = (name: string, value: string) => scene.client.config('SET', name, value);

const REFUSALS: readonly Refusal[] = [
  {
    error: 'BUSY',
    begin: async () => {
      // It never ends by itself; the client waits for its answer.
      scene.redis
        .client()
        .eval('while true do end', 0)
        .catch(() => undefined);
    },
    end: () => scene.client.call('SCRIPT', 'KILL'),
  },
  {
    error: 'MISCONF',
    begin: async () => {
      // A folder where the file belongs: it cannot be written, whoever tries.
      mkdirSync(join(dir, 'dump.rdb', 'in-the-way'), { recursive: true });
      await config('save', '3600 1000000');
      await scene.client.bgsave();
      await eventually(
        async () => (await scene.client.info('persistence')).includes('last_bgsave_status:err'),
        { what: 'saving to fail' },
      );
    },
    end: async () => {
      rmSync(join(dir, 'dump.rdb'), { recursive: true });
      await scene.client.bgsave();
    },
  },
  {
    error: 'NOREPLICAS',
    begin: () => config('min-replicas-to-write', '1'),
    end: () => config('min-replicas-to-write', '0'),
  },
];

async function refusals(error: string): Promise<number> {
  // While a script is busy, Redis does not answer this either.
  const errors = await scene.client.info('errorstats');
  return Number(new RegExp(`errorstat_${error}:count=(\\d+)`).exec(errors)?.[1] ?? 0);
}

const more = (count: number) =>
  scene.when('finished', { count: scene.journal.of('finished').length + count });

let round = 0;
const newLoad = () => new Load(scene.queue('work', connection), 4, `round-${++round}`);

describe('under load, a Redis that', () => {
  it.each(REFUSALS.map((refusal) => [refusal.error, refusal] as const))(
    'refuses with %s loses nothing, and is used again',
    async (error, { begin, end }) => {
      load = newLoad();
      await more(30);
      const { rejected: calls } = load;
      const before = await refusals(error);
      const told = scene.journal.of('problem').length;
      await begin();
      await eventually(() => (load?.rejected ?? 0) >= calls + 5, { what: 'calls to be refused' });
      const problems = () => scene.journal.of('problem').slice(told);
      await eventually(() => problems().some(({ message }) => message?.includes(error)), {
        what: 'a worker to say what is wrong',
      });
      await end();
      await more(30);
      await load.stop();
      await scene.drained();

      expect(await refusals(error)).toBeGreaterThan(before);
      expect(load.surprises).toEqual([]);
      expect(await scene.audit(load.acknowledged)).toEqual([]);
      expect(problems().length).toBeLessThan(20);
    },
  );

  it('forgets all scripts, again and again, is given them again', async () => {
    load = newLoad();
    for (let flush = 0; flush < 10; flush++) {
      await more(10);
      await scene.client.script('FLUSH');
    }
    await load.stop();
    await scene.drained();

    expect(load.rejected).toBe(0);
    expect(load.surprises).toEqual([]);
    expect(await scene.audit(load.acknowledged)).toEqual([]);
  });
});
