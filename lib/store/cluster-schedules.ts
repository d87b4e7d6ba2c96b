import type { ScheduleDefinition } from '../schedule/index.js';
import type { ScheduleRecord } from '../wire/schedule-record.js';
import type { ClusterJobStore } from './cluster-job-store.js';
import type {
  DefineReply,
  LookReply,
  RemoveReply,
  ScheduleChange,
  ScheduleStore,
  TickJob,
  TickReply,
} from './schedule-store.js';
import type { TagStore } from './tag-store.js';

/**
 * The schedules of all hash tags. Each is kept with its queue, and fired by those who look after that tag: see
 * `Scheduler`, of which a process has one for each tag of its queues.
 */
export class ClusterSchedules implements ScheduleStore {
  constructor(private readonly whole: ClusterJobStore) {}

  async read(id: string): Promise<{ record: ScheduleRecord | undefined; now: number }> {
    const stores = await this.whole.all();
    const found = await Promise.all(stores.map((store) => store.schedules.read(id)));
    const now = (await this.whole.figures.now()).getTime();
    return found.find(({ record }) => record) ?? { record: undefined, now };
  }

  async all(): Promise<ScheduleRecord[]> {
    const stores = await this.whole.all();
    return (await Promise.all(stores.map((store) => store.schedules.all()))).flat();
  }

  async history(id: string, range: { offset: number; limit: number }): Promise<string[]> {
    return (await this.home(id))?.schedules.history(id, range) ?? [];
  }

  define(definition: ScheduleDefinition, change: ScheduleChange): Promise<DefineReply> {
    return this.whole.forQueue(definition.queue).schedules.define(definition, change);
  }

  async remove(id: string, queue: string | undefined, unseenMs: number): Promise<RemoveReply> {
    const store = queue === undefined ? await this.home(id) : this.whole.forQueue(queue);
    return store ? store.schedules.remove(id, queue, unseenMs) : 'missing';
  }

  async pause(id: string): Promise<boolean> {
    return (await this.home(id))?.schedules.pause(id) ?? false;
  }

  async resume(id: string, due: number): Promise<boolean> {
    return (await this.home(id))?.schedules.resume(id, due) ?? false;
  }

  fire(ticks: readonly TickJob[]): Promise<TickReply[]> {
    const [first] = ticks;
    return first ? this.whole.forQueue(first.queue).schedules.fire(ticks) : Promise.resolve([]);
  }

  look(): Promise<LookReply> {
    return Promise.reject(new Error(ONE_TAG));
  }

  tidy(): Promise<void> {
    return Promise.reject(new Error(ONE_TAG));
  }

  async onChange(listener: () => void): Promise<() => void> {
    const stops: (() => void)[] = [];
    for (const store of await this.whole.all())
      stops.push(await store.schedules.onChange(listener));
    return () => stops.forEach((stop) => stop());
  }

  private async home(id: string): Promise<TagStore | undefined> {
    const stores = await this.whole.all();
    const found = await Promise.all(stores.map((store) => store.schedules.read(id)));
    return stores.find((_store, index) => found[index]?.record);
  }
}

const ONE_TAG =
  'schedules are fired for each hash tag by itself: new Scheduler(store.forQueue(queue))';
