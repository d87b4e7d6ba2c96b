// One job at a time for each key, in three processes of which one is killed: runs of a key never overlap, and a key's jobs
// end in their order.
import { expect, it } from '@jest/globals';
import { Scene } from './scene.js';

const KEYS = ['a', 'b', 'c', 'd'];
const JOBS_OF_KEY = 30;

/** What was wrong with the runs in the journal, whose lines stand in the order in which they were written. */
function faultsIn(entries: ReturnType<Scene['journal']['entries']>, killed: string): string[] {
  const running = new Map<string, string>();
  const ended = new Map<string, number>();
  const endedBy = new Map<string, number>();
  const faults: string[] = [];
  for (const { event, id, worker } of entries) {
    const [key = '', number] = String(id).split('-');
    if (event === 'run') {
      const other = running.get(key);
      if (other !== undefined && !other.endsWith(` ${killed}`)) {
        faults.push(`${id} began in ${worker} while ${other} ran`);
      }
      running.set(key, `${id} ${worker}`);
    } else if (event === 'end') {
      running.delete(key);
      const last = ended.get(key) ?? -1;
      // The one that died may have died just before Redis knew of the end.
      const isAgain = Number(number) === last && last === endedBy.get(key);
      if (Number(number) !== last + 1 && !isAgain) faults.push(`${id} ended after number ${last}`);
      ended.set(key, Number(number));
      if (worker === killed) endedBy.set(key, Number(number));
    }
  }
  return faults;
}

it('runs of one key never overlap and keep their order, also when a worker is killed', async () => {
  const scene = await Scene.open();
  try {
    const handler = { concurrency: { perKey: 1 } };
    const workers = await Promise.all(
      // Nobody but the one that is killed is to lose a lease.
      ['first', 'second', 'third'].map((label) => scene.worker(label, { handler, lease: 3 })),
    );
    const queue = scene.queue();
    for (let number = 0; number < JOBS_OF_KEY; number += 1) {
      await queue.enqueueMany(
        KEYS.map((key) => ({
          name: 'act',
          data: { takes: 5 },
          options: { id: `${key}-${number}`, key },
        })),
      );
    }
    const { worker: busy } = await scene.when('run', { count: 10 });
    await workers.find(({ label }) => label === busy)?.kill();
    await scene.drained();

    const entries = scene.journal
      .entries()
      .filter(({ event }) => event === 'run' || event === 'end');
    expect(faultsIn(entries, busy)).toEqual([]);
    const ended = new Set(entries.filter(({ event }) => event === 'end').map(({ id }) => id));
    expect(ended.size).toBe(KEYS.length * JOBS_OF_KEY);
  } finally {
    await scene.close();
  }
}, 60_000);
