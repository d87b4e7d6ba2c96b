import { hideFields } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import type { ScheduleDefinition } from '../schedule/index.js';
import type { HashTags } from './hash-tags.js';
import type { NewJob, Refusal, WorkerStore } from './job-store.js';
import { RedisJobStore } from './redis-job-store.js';
import type { RedisJobStoreOptions } from './redis-job-store-options.js';
import { ScheduleRecords } from './schedule-records.js';
import type { Role } from './rights.js';
import type { DefineReply, ScheduleChange } from './schedule-store.js';

/**
 * The jobs of all queues that have a hash tag in common, in the cluster layout: the store that we know, with names of its
 * own. What is beyond the tag is asked of the whole.
 */
export class TagStore extends RedisJobStore<RedisAccess> {
  override readonly schedules: ScheduleRecords;

  constructor(
    readonly hashTag: string,
    access: RedisAccess,
    options: RedisJobStoreOptions & { readonly prefix: string },
    private readonly whole: Whole,
  ) {
    super(access, { ...options, prefix: `${options.prefix}{${hashTag}}:` });
    this.schedules = new TagSchedules(access, this.keys, this.subscriptions, whole.hashTags);
    hideFields(this, 'keys', 'maxPayloadBytes', 'hashTag');
  }

  forQueue(queue: string): WorkerStore {
    return this.whole.forQueue(queue);
  }

  queuesEverywhere(ids: readonly string[]): Promise<(string | undefined)[]> {
    return this.whole.queuesOf(ids);
  }

  override async enqueue(jobs: readonly NewJob[], mode: 'all' | 'each'): Promise<Refusal[]> {
    const queues = jobs.map(({ queue }) => queue);
    const { hashTags } = this.whole;
    if (!hashTags.areClaimed(queues)) await hashTags.claim(queues);
    return super.enqueue(jobs, mode);
  }

  override audit(role: Role): Promise<string[]> {
    return this.whole.audit(role);
  }
}

/** All tags together. */
export interface Whole extends Pick<WorkerStore, 'audit' | 'queuesOf'> {
  readonly hashTags: HashTags;
  forQueue(queue: string): WorkerStore;
}

class TagSchedules extends ScheduleRecords {
  constructor(
    access: RedisAccess,
    keys: TagStore['keys'],
    subscriptions: TagStore['subscriptions'],
    private readonly hashTags: HashTags,
  ) {
    super(access, keys, subscriptions, false);
  }

  override async define(
    definition: ScheduleDefinition,
    change: ScheduleChange,
  ): Promise<DefineReply> {
    await this.hashTags.claim([definition.queue]);
    return super.define(definition, change);
  }
}
