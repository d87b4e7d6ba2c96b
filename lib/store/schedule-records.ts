import { hostname } from 'node:os';
import type { RedisAccess } from '../redis/access.js';
import type { ScriptValue } from '../redis/script.js';
import type { Subscriptions } from '../redis/subscriptions.js';
import type { ScheduleDefinition } from '../schedule/index.js';
import { encodeCronJobs } from '../wire/cron-jobs.js';
import type { Keyspace } from '../wire/keyspace.js';
import { type ScheduleRecord, decodeSchedule } from '../wire/schedule-record.js';
import type {
  DefineReply,
  LookReply,
  LookRequest,
  RemoveReply,
  ScheduleChange,
  ScheduleStore,
  TickJob,
  TickReply,
} from './schedule-store.js';
import { ENQUEUE, decodeEnqueue, encodeEnqueue } from './scripts/enqueue.js';
import { SCHEDULE, encodeAct, encodeDefine, scheduleKeys } from './scripts/schedule.js';
import { SCHEDULES, decodeLook, encodeLook } from './scripts/schedules.js';

/** The schedules in Redis. One store of jobs has one of these. */
export class ScheduleRecords implements ScheduleStore {
  /** @param shared Python reads this Redis, too */
  constructor(
    private readonly connections: RedisAccess,
    private readonly keys: Keyspace,
    private readonly subscriptions: Subscriptions,
    private readonly shared: boolean,
  ) {}

  async read(id: string): Promise<{ record: ScheduleRecord | undefined; now: number }> {
    const { keys } = this;
    const replies = await this.connections.run(`read schedule "${id}"`, (redis) =>
      redis
        .multi()
        .time()
        .hgetall(keys.schedule(id))
        .zscore(keys.schedules, id)
        .zscore(keys.codeSchedules, id)
        .exec(),
    );
    const [time, fields, made, code] = (replies ?? []).map(([, reply]) => reply) as [
      [string, string],
      Record<string, string>,
      string | null,
      string | null,
    ];
    const now = Number(time[0]) * 1000 + Math.floor(Number(time[1]) / 1000);
    return { record: decodeSchedule(id, fields, code ?? made), now };
  }

  async all(): Promise<ScheduleRecord[]> {
    const { keys, connections } = this;
    const records: ScheduleRecord[] = [];
    for (const set of [keys.codeSchedules, keys.schedules]) {
      const entries = await connections.run('list schedules', (redis) =>
        redis.zrange(set, '0', '-1', 'WITHSCORES'),
      );
      for (let first = 0; first < entries.length; first += 2 * READ_AT_ONCE) {
        const slice = entries.slice(first, first + 2 * READ_AT_ONCE);
        const replies = await connections.run('read schedules', (redis) => {
          const batch = redis.pipeline();
          for (let at = 0; at < slice.length; at += 2)
            batch.hgetall(keys.schedule(slice[at] as string));
          return batch.exec();
        });
        replies?.forEach(([error, fields], index) => {
          if (error) return;
          const [id = '', due] = slice.slice(2 * index);
          const record = decodeSchedule(id, fields as Record<string, string>, due);
          if (record) records.push(record);
        });
      }
    }
    return records;
  }

  history(id: string, { offset, limit }: { offset: number; limit: number }): Promise<string[]> {
    if (limit === 0) return Promise.resolve([]);
    return this.connections.run(`read the jobs of schedule "${id}"`, (redis) =>
      redis.zrange(this.keys.cronHistory(id), String(offset), String(offset + limit - 1), 'REV'),
    );
  }

  async define(definition: ScheduleDefinition, change: ScheduleChange): Promise<DefineReply> {
    const { id } = definition;
    const values = encodeDefine(this.keys.scheduleChanges, definition, change);
    return (await this.change(`define schedule "${id}"`, id, values)) as DefineReply;
  }

  async remove(id: string, queue: string | undefined, unseenMs: number): Promise<RemoveReply> {
    const channel = this.keys.scheduleChanges;
    const values = encodeAct(channel, 'remove', id, { queue, unseen: unseenMs });
    const answer = await this.change(`remove schedule "${id}"`, id, values);
    return answer === 'done' ? 'removed' : (answer as RemoveReply);
  }

  async pause(id: string): Promise<boolean> {
    const values = encodeAct(this.keys.scheduleChanges, 'pause', id);
    return (await this.change(`pause schedule "${id}"`, id, values)) === 'done';
  }

  async resume(id: string, due: number): Promise<boolean> {
    const values = encodeAct(this.keys.scheduleChanges, 'resume', id, { due });
    return (await this.change(`resume schedule "${id}"`, id, values)) === 'done';
  }

  async look(request: LookRequest): Promise<LookReply> {
    const { schedules, codeSchedules, schedulesTidied, prefix } = this.keys;
    const keys = SCHEDULES.keys({ schedules, code: codeSchedules, tidied: schedulesTidied });
    const values = encodeLook(prefix, request);
    const reply = await this.connections.run('look after the schedules', (redis) =>
      SCHEDULES.run(redis, keys, values),
    );
    return decodeLook(reply);
  }

  async fire(ticks: readonly TickJob[]): Promise<TickReply[]> {
    const queue = ticks[0]?.queue;
    if (queue === undefined) return [];
    const place = { keyspace: this.keys, shared: this.shared };
    const values = encodeEnqueue(place, ticks, 'each');
    const reply = await this.connections.run('enqueue the jobs of schedules', (redis) =>
      ENQUEUE.run(redis, [this.keys.queue(queue).list], values),
    );
    const replies: TickReply[] = ticks.map(() => ({ state: 'fired' }));
    for (const { index, reason, details = [] } of decodeEnqueue(reply).refused) {
      replies[index] = tickReply(reason, details);
    }
    return replies;
  }

  async tidy(): Promise<void> {
    const records = await this.all();
    const { now } = await this.read('');
    for (const { id, from, seen } of records) {
      if (from === 'code' && now - seen > FORGOTTEN_MS)
        await this.remove(id, undefined, FORGOTTEN_MS);
    }
    // RQ's prefix is fixed.
    if (this.keys.prefix === 'rq:') await this.tellRq(records, now);
  }

  onChange(listener: () => void): Promise<() => void> {
    return this.subscriptions.listen(this.keys.scheduleChanges, listener);
  }

  private async tellRq(records: readonly ScheduleRecord[], now: number): Promise<void> {
    const key = this.keys.cronScheduler(LISTED_AS);
    const fields = {
      name: LISTED_AS,
      hostname: hostname(),
      pid: String(process.pid),
      created_at: new Date(now).toISOString(),
      config_file: '',
      cron_jobs: encodeCronJobs(records),
    };
    await this.connections.run('tell RQ of the schedules', (redis) =>
      redis
        .multi()
        .hset(key, fields)
        .expire(key, LISTED_SECONDS)
        .zadd(this.keys.cronSchedulers, now / 1000, LISTED_AS)
        .exec(),
    );
  }

  private async change(
    action: string,
    id: string,
    values: readonly ScriptValue[],
  ): Promise<string> {
    const keys = scheduleKeys(this.keys, id);
    return String(await this.connections.run(action, (redis) => SCHEDULE.run(redis, keys, values)));
  }
}

function tickReply(reason: string, details: readonly string[]): TickReply {
  if (reason === 'early') return { state: 'early', inMs: Number(details[0]) };
  if (reason === 'moved') {
    const [rev = '', due] = details;
    return { state: 'moved', rev, due: due ? Number(due) : undefined };
  }
  if (reason === 'skipped' || reason === 'passed' || reason === 'gone') return { state: reason };
  // A job of this id is there: the tick was fired.
  return { state: 'fired' };
}

/** One for all processes, so that RQ lists each schedule once. */
const LISTED_AS = 'nestjs-rq';
/** RQ's own; the record is written anew several times meanwhile. */
const LISTED_SECONDS = 120;
/** A definition that no process's code has had for a week. */
const FORGOTTEN_MS = 7 * 86_400_000;
/** Keeps one answer small. */
const READ_AT_ONCE = 500;
