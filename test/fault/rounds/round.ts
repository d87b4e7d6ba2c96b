// A round of faults: workers work and producers produce, one fault follows the other until the time is over, then all is
// well again, and the auditor looks at what is left. What it counts makes a row of docs/reliability.md.
import { setTimeout as pause } from 'node:timers/promises';
import type { RedisOptions } from 'ioredis';
import type { QueueOptions } from '../../../lib/index.js';
import { Load } from '../load.js';
import type { Entry } from '../journal.js';
import type { ActingWorker, Scene } from '../scene.js';
import type { Dice } from './dice.js';

/** A place and what is done to it. */
export interface FaultCase {
  /** As the table names it. */
  readonly name: string;
  open(): Promise<World>;
}

export interface World {
  readonly scene: Scene;
  /** Where workers and producers connect to. */
  readonly at: string | RedisOptions;
  /** Where a worker of this label does, if it has a way of its own. */
  atOf?(label: string): Promise<string | RedisOptions>;
  /** Of producers and workers. */
  readonly durability?: QueueOptions['durability'];
  /** Milliseconds between two faults: at least, and at most. */
  readonly pauses?: readonly [number, number];
  /** A failover may lose the last writes: what was told of them may be told, and done, once more. */
  readonly rollsBack?: boolean;
  /** Nothing keeps acknowledged jobs from being lost here; they are counted. */
  readonly mayLose?: boolean;
  /**
   * One fault, from its beginning to its end. Where another server takes over, it gives the milliseconds from when that
   * takes writes until a new job has been run there.
   */
  harm(party: Party, dice: Dice, load: Load): Promise<number | void>;
  /** Sees to it that all is well. */
  heal?(): Promise<void>;
  /** Ends all that the scene does not end by itself. */
  close?(): Promise<void>;
}

/** What is counted of a round. */
export interface RoundResult {
  readonly name: string;
  readonly seconds: number;
  readonly jobs: number;
  readonly faults: number;
  /** Acknowledged and gone, or never settled. */
  readonly lost: number;
  /** Jobs whose handler has come to its end more than once. */
  readonly again: number;
  /** Jobs of which the end was told twice, or told and not stored. */
  readonly toldFalsely: number;
  /** Seconds: the longest time from the first call for a job until one was acknowledged. */
  readonly outage: number;
  /** Seconds: the longest time from the election of a new primary until a new job has been run there. */
  readonly servedAgain?: number;
  /** What the auditor says; nothing when all is as promised. */
  readonly violations: readonly string[];
}

/** The workers of a round. */
export class Party {
  readonly workers: ActingWorker[] = [];
  private number = 0;

  constructor(private readonly world: Pick<World, 'scene' | 'at' | 'atOf' | 'durability'>) {}

  async join(): Promise<void> {
    this.number += 1;
    const label = `worker-${this.number}`;
    const url = (await this.world.atOf?.(label)) ?? this.world.at;
    const { durability } = this.world;
    const ofWork = { lease: LEASE, concurrency: 10, durability: durability || undefined };
    const settings = { url, connection, ...ofWork };
    this.workers.push(await this.world.scene.worker(label, settings));
  }

  /** Kills one, and another takes its place. */
  async kill(worker: ActingWorker): Promise<void> {
    this.workers.splice(this.workers.indexOf(worker), 1);
    await worker.kill();
    await this.join();
  }
}

/** Seconds. */
export const LEASE = 1;
const connection = { commandTimeout: 1000, connectTimeout: 5000 };
const WORKERS = 3;
const CALLERS = 4;

/** @param options.seconds how long faults are made */
export async function runRound(
  fault: FaultCase,
  { seconds, dice }: { seconds: number; dice: Dice },
): Promise<RoundResult> {
  const world = await fault.open();
  const { scene, at, durability, pauses = [100, 1000] } = world;
  const begun = performance.now();
  try {
    const party = new Party(world);
    await Promise.all(Array.from({ length: WORKERS }, () => party.join()));
    const queue = scene.queue('work', { url: at, ...connection, durability });
    const load = new Load(queue, CALLERS);
    const end = performance.now() + seconds * 1000;
    let faults = 0;
    const servedAgain: number[] = [];
    do {
      await pause(dice.between(...pauses));
      const served = await world.harm(party, dice, load);
      if (served !== undefined) servedAgain.push(served);
      faults += 1;
    } while (performance.now() < end);
    await world.heal?.();
    await load.stop();
    await scene.drained({ timeout: 60_000 });
    const { rollsBack: rolledBack = false, mayLose = false } = world;
    const found = await scene.audit(load.acknowledged, { rolledBack });
    const lost = found.filter((line) => line.startsWith('I1 '));
    const told = await toldFalsely(scene);
    const violations = [
      // Replicas have an end before it is told.
      ...(durability ? told.map((id) => `job ${id}: its end was told falsely`) : []),
      ...(mayLose ? found.filter((line) => !line.startsWith('I1 ')) : found),
      ...load.surprises.map((surprise) => `I9 enqueue threw ${String(surprise)}`),
    ];
    return {
      name: fault.name,
      seconds: Math.round((performance.now() - begun) / 1000),
      jobs: load.acknowledged.length,
      faults,
      lost: lost.length,
      again: runAgain(scene.journal.entries()),
      toldFalsely: told.length,
      outage: Math.round(load.outage / 100) / 10,
      ...(servedAgain.length > 0 && {
        servedAgain: Math.round(Math.max(...servedAgain) / 10) / 100,
      }),
      violations,
    };
  } finally {
    await world.heal?.();
    try {
      await scene.close();
    } finally {
      await world.close?.();
    }
  }
}

function runAgain(journal: readonly Entry[]): number {
  const ends = new Map<string, number>();
  for (const { event, id, how } of journal) {
    if (event === 'end' && how === 'returned' && id) ends.set(id, (ends.get(id) ?? 0) + 1);
  }
  return [...ends.values()].filter((count) => count > 1).length;
}

/** A job is finished once: whoever is told so twice, or of a job that is not, has heard something false. */
async function toldFalsely({ journal, client }: Scene): Promise<string[]> {
  const told = new Map<string, number>();
  for (const id of journal.ids('finished')) told.set(id, (told.get(id) ?? 0) + 1);
  const ids = [...told.keys()];
  const found: string[] = [];
  for (let first = 0; first < ids.length; first += 500) {
    const slice = ids.slice(first, first + 500);
    const statuses = await Promise.all(slice.map((id) => client.hget(`rq:job:${id}`, 'status')));
    for (const [index, id] of slice.entries()) {
      const isTwice = (told.get(id) ?? 0) > 1;
      // Those that are not kept leave nothing to compare with.
      const isOther = statuses[index] !== null && statuses[index] !== 'finished';
      if (isTwice || isOther) found.push(id);
    }
  }
  return found;
}
