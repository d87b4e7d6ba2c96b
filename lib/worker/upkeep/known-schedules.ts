import {
  type Grid,
  type ReplacedSchedule,
  type ScheduleDefinition,
  firstDue,
  gridOf,
} from '../../schedule/index.js';
import type { LookReply, OwnSchedule, ScheduleStore } from '../../store/index.js';
import type { JobReporter } from '../report/job-reporter.js';
import { scheduleMadeAtRunTime, scheduleUnreadable } from '../report/troubles.js';
import type { RedisClock } from './redis-clock.js';

/**
 * The schedules that this process is to fire, and when each is due.
 *
 * Those in its code are its own while the record in Redis has the same definition. A deploy with another one takes over at
 * once. One that was replaced comes back only when nobody with the newer one was there for 90 seconds: so the old
 * processes of a rolling deploy are silent, and a rollback works. Those made at run time are fired by whoever is there.
 */
export class KnownSchedules {
  readonly entries = new Map<string, KnownSchedule>();
  /** Revisions of definitions that cannot be read here. */
  private readonly unreadable = new Set<string>();

  /** @param own the definitions in the code of this process */
  constructor(
    private readonly store: ScheduleStore,
    private readonly own: readonly OwnDefinition[],
    private readonly clock: RedisClock,
    private readonly reporter: JobReporter,
  ) {}

  /**
   * Asks Redis, and writes the definitions that are this process's to write.
   * @param withinMs of those made at run time: which are due within that
   */
  async look(withinMs: number): Promise<LookReply> {
    for (let round = 1; ; round += 1) {
      const sentAt = performance.now();
      const reply = await this.store.look({ own: this.own, withinMs });
      this.clock.told(reply.now, sentAt);
      const written = await Promise.all(
        this.own.map((own, index) => this.write(own, reply.own[index] as OwnSchedule, reply.now)),
      );
      // Who was quickest has said when it is due.
      if (written.includes(true) && round < ROUNDS) continue;
      this.noteOwn(reply);
      await this.noteOthers(reply);
      return reply;
    }
  }

  /** When the next one is due, milliseconds since the epoch; Infinity: none that is known. */
  nextDue(): number {
    let next = Infinity;
    for (const { due } of this.entries.values()) if (due < next) next = due;
    return next;
  }

  /** Whether the definition had to be written. */
  private async write(
    { immediately, ...definition }: OwnDefinition,
    stands: OwnSchedule,
    now: number,
  ): Promise<boolean> {
    if (stands.state === 'api') this.reporter.problem(scheduleMadeAtRunTime(definition.id));
    if (stands.state !== 'absent' && stands.state !== 'takeable') return false;
    const replaced: (ReplacedSchedule & { rev: string }) | undefined =
      stands.state === 'takeable' ? stands : undefined;
    const { when } = definition;
    const due = !replaced && immediately ? now : firstDue(gridOf(when), when, replaced, now);
    if (due === undefined) return false;
    await this.store.define(definition, { from: 'code', expected: replaced?.rev, due });
    return true;
  }

  private noteOwn(reply: LookReply): void {
    for (const [index, definition] of this.own.entries()) {
      const stands = reply.own[index];
      const due = stands?.state === 'live' ? stands.due : undefined;
      if (due === undefined) this.entries.delete(definition.id);
      else this.note(definition, due, true);
    }
  }

  private async noteOthers({ soon }: LookReply): Promise<void> {
    const told = new Set(soon.map(({ id }) => id));
    for (const [id, { isOwn }] of this.entries)
      if (!isOwn && !told.has(id)) this.entries.delete(id);
    await Promise.all(
      soon.map(async ({ id, rev, due }) => {
        const known = this.entries.get(id);
        if (known?.isOwn) return;
        if (known?.definition.rev === rev) known.due = due;
        else if (!this.unreadable.has(rev)) await this.read(id);
      }),
    );
  }

  private async read(id: string): Promise<void> {
    const { record } = await this.store.read(id);
    if (!record) return;
    const { definition, due, rev } = record;
    if (definition && due !== undefined) this.note(definition, due, false);
    else if (!definition) {
      if (this.unreadable.size < MOST_UNREADABLE) this.unreadable.add(rev);
      this.reporter.problem(scheduleUnreadable(id));
    }
  }

  private note(definition: ScheduleDefinition, due: number, isOwn: boolean): void {
    const known = this.entries.get(definition.id);
    if (known?.definition.rev === definition.rev) known.due = due;
    else this.entries.set(definition.id, { definition, grid: gridOf(definition.when), due, isOwn });
  }
}

/** A definition in code. */
export type OwnDefinition = ScheduleDefinition & {
  /** Also once as soon as it is stored for the first time. */
  readonly immediately: boolean;
};

export interface KnownSchedule {
  readonly definition: ScheduleDefinition;
  readonly grid: Grid;
  /** Milliseconds since the epoch. */
  due: number;
  /** In the code of this process. */
  readonly isOwn: boolean;
}

const ROUNDS = 5;
const MOST_UNREADABLE = 1000;
