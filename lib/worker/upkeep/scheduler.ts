import { RqConnectionError, ShortForm, hideFields } from '../../job/index.js';
import { dueTicks } from '../../schedule/index.js';
import type { TickJob, TickReply, WorkerStore } from '../../store/index.js';
import { type Timer, after } from '../../time/timer.js';
import { laneOf } from '../../wire/index.js';
import { JobReporter } from '../report/job-reporter.js';
import { scheduleNotFired, schedulesNotKept, schedulesNotTidied } from '../report/troubles.js';
import type { WorkerObserver } from '../report/worker-observer.js';
import { type KnownSchedule, KnownSchedules, type OwnDefinition } from './known-schedules.js';
import { RedisClock } from './redis-clock.js';

/**
 * Fires schedules: at each tick one job, whichever of all processes is the quickest.
 *
 * 1. It knows when the next of its schedules is due, and sets a timer.
 * 2. When the timer goes off, it computes what comes after this tick, and sends both to Redis with the job.
 * 3. Redis stores the job if the schedule still waits for this tick, and lets it wait for the next one, in one step. All
 *    others are told that the tick is gone, and what it waits for now.
 *
 * There is no leader: any process may die at any moment, and another one fires. Changes are told on a channel, and each
 * 30 seconds it looks by itself. A call whose answer was lost is repeated: its tick is gone then, or was never fired.
 *
 * ```ts
 * const scheduler = new Scheduler(store); // what queue.schedule(...) has made; a Nest application has one by itself
 * await scheduler.start();
 * ```
 */
export class Scheduler extends ShortForm {
  private readonly clock = new RedisClock();
  private readonly known: KnownSchedules;
  private readonly reporter: JobReporter;
  private readonly stopListening: (() => void)[] = [];
  private timer: Timer | undefined;
  private working: Promise<void> | undefined;
  private tidying: Promise<void> | undefined;
  private isStopped = false;
  private isListening = false;
  /** When to look again, and before when nothing is tried, by `performance.now()`. */
  private lookAt = 0;
  private notBefore = 0;

  /** @param own the definitions in the code of this process */
  constructor(
    private readonly store: Pick<WorkerStore, 'schedules' | 'onReady'>,
    own: readonly OwnDefinition[] = [],
    ...observers: readonly WorkerObserver[]
  ) {
    super();
    this.reporter = new JobReporter(...observers);
    this.known = new KnownSchedules(store.schedules, own, this.clock, this.reporter);
    hideFields(this);
  }

  /** What JSON and logs show of it: how many schedules it knows to be due. */
  toJSON(): { readonly known: number } {
    return { known: this.known.entries.size };
  }

  /** When the next schedule that is known here is due, milliseconds since the epoch; Infinity: none is. */
  get nextDue(): number {
    return this.known.nextDue();
  }

  /** The schedules that are known here, and when they are due. */
  get due(): readonly Readonly<KnownSchedule>[] {
    return [...this.known.entries.values()];
  }

  /** Begins to fire. Resolves when it has looked once. Never rejects: while Redis is away, it tries again. */
  async start(): Promise<void> {
    this.stopListening.push(this.store.onReady(() => this.lookSoon(0)));
    await this.work();
  }

  /** Fires nothing more. Never rejects, and waits no longer than one command takes. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    for (const stop of this.stopListening.splice(0)) stop();
    await this.working;
    await this.tidying;
  }

  /**
   * Looks, and fires what is due, now; `start` has it done by itself.
   * @param withinMs of schedules made at run time: those that are due within that are known then
   * @returns how many steps were made
   * @throws RqConnectionError
   */
  async catchUp(withinMs?: number): Promise<number> {
    await this.look(withinMs);
    return this.fire();
  }

  /** Looks what is to be fired when; `start` has it done by itself. See {@link catchUp}. @throws RqConnectionError */
  async look(withinMs = TOLD_WITHIN_MS): Promise<void> {
    // What changes from here on is told, and looked at then.
    this.lookAt = performance.now() + LOOK_EACH;
    const { more, soon, tidies } = await this.known.look(withinMs);
    const last = soon.at(-1);
    if (more && last) {
      this.lookAt = Math.min(this.lookAt, performance.now() + last.due - this.clock.now());
    }
    if (tidies) this.tidying = this.tidy();
  }

  /** Something has changed: looks in so many milliseconds. */
  private lookSoon(milliseconds: number): void {
    this.lookAt = Math.min(this.lookAt, performance.now() + milliseconds);
    if (milliseconds === 0) this.notBefore = 0;
    if (!this.working) this.plan();
  }

  private plan(): void {
    this.timer?.cancel();
    if (this.isStopped) return;
    const now = performance.now();
    const due = this.nextDue - this.clock.now();
    const wait = Math.max(0, this.notBefore - now, Math.min(this.lookAt - now, due));
    this.timer = after(Math.ceil(wait), () => void this.work()).unref();
  }

  private work(): Promise<void> {
    this.working ??= this.turn().finally(() => {
      this.working = undefined;
      this.plan();
    });
    return this.working;
  }

  private async turn(): Promise<void> {
    const { problem, solved } = schedulesNotKept;
    try {
      if (!this.isListening) await this.listen();
      if (performance.now() >= this.lookAt) await this.look();
      await this.fire();
      this.reporter.problemSolved(problem, solved);
    } catch (error) {
      this.notBefore = performance.now() + AFTER_TROUBLE;
      if (!this.isStopped) this.reporter.problem(problem, error);
    }
  }

  private async listen(): Promise<void> {
    const stop = await this.store.schedules.onChange(() => this.lookSoon(CHANGES_TOGETHER));
    this.isListening = true;
    if (this.isStopped) stop();
    else this.stopListening.push(stop);
  }

  private async tidy(): Promise<void> {
    try {
      await this.store.schedules.tidy();
    } catch (error) {
      if (!this.isStopped) this.reporter.problem(schedulesNotTidied, error);
    }
  }

  /** Fires all that is due. Answers how many steps were made. */
  private async fire(): Promise<number> {
    const now = this.clock.now();
    let fired = 0;
    let ticks: FiredTick[] = [];
    let turnedAt = performance.now();
    for (const schedule of this.known.entries.values()) {
      if (schedule.due > now) continue;
      ticks.push(...ticksOf(schedule, now));
      while (ticks.length >= FIRED_AT_ONCE)
        fired += await this.send(ticks.splice(0, FIRED_AT_ONCE));
      if (performance.now() - turnedAt < LONGEST_TURN) continue;
      // Grids of many schedules take their time: jobs of this process must not wait for all of them.
      await new Promise(setImmediate);
      turnedAt = performance.now();
    }
    while (ticks.length > 0) {
      fired += await this.send(ticks.slice(0, FIRED_AT_ONCE));
      ticks = ticks.slice(FIRED_AT_ONCE);
    }
    return fired;
  }

  private async send(ticks: readonly FiredTick[]): Promise<number> {
    const sentAt = performance.now();
    let replies: TickReply[];
    try {
      replies = await this.store.schedules.fire(ticks.map(({ job }) => job));
    } catch (error) {
      const schedules = new Set(ticks.map(({ schedule }) => schedule));
      if (error instanceof RqConnectionError) throw error;
      if (schedules.size > 1) return this.sendEach(ticks, schedules);
      // Others must not wait for this one: what is stored of it may be impossible.
      for (const { definition } of schedules) {
        this.reporter.problem(scheduleNotFired(definition.id), error);
        this.known.entries.delete(definition.id);
      }
      return 0;
    }
    let fired = 0;
    for (const [index, reply] of replies.entries()) {
      if (this.note(ticks[index] as FiredTick, reply, sentAt)) fired += 1;
    }
    return fired;
  }

  private async sendEach(
    ticks: readonly FiredTick[],
    schedules: ReadonlySet<KnownSchedule>,
  ): Promise<number> {
    let fired = 0;
    for (const one of schedules) {
      fired += await this.send(ticks.filter(({ schedule }) => schedule === one));
    }
    return fired;
  }

  /** Whether the step was made here. */
  private note({ schedule, job }: FiredTick, reply: TickReply, sentAt: number): boolean {
    const { id, rev } = schedule.definition;
    switch (reply.state) {
      case 'fired':
      case 'skipped':
      case 'passed':
        schedule.due = job.tick.next;
        return true;
      case 'early':
        this.clock.wasBefore(job.tick.due, reply.inMs, sentAt);
        return false;
      case 'moved':
        if (reply.rev === rev && reply.due !== undefined) {
          schedule.due = reply.due;
          return false;
        }
        break;
      case 'gone':
    }
    this.known.entries.delete(id);
    this.lookAt = performance.now();
    return false;
  }
}

interface FiredTick {
  readonly schedule: KnownSchedule;
  readonly job: TickJob;
}

function ticksOf(schedule: KnownSchedule, now: number): FiredTick[] {
  const { definition, grid, due } = schedule;
  const { id, rev, queue, data, meta, options, overlap, missed: rule } = definition;
  const lane = laneOf(definition.name, options);
  return dueTicks(grid, due, Math.max(now, due), rule).map((step) => {
    const { at = step.due, next, missed } = step;
    const mode = step.at === undefined ? ('pass' as const) : ('fire' as const);
    const tick = { schedule: id, rev, mode, due: step.due, at, next, missed, overlap };
    const job = {
      queue,
      id: `${id}-${at}`,
      check: 'once',
      data,
      meta,
      options,
      lane,
      tick,
    } as const;
    return { schedule, job };
  });
}

// Milliseconds.
const LOOK_EACH = 30_000;
/** Until the next look, and some time for it. */
const TOLD_WITHIN_MS = 40_000;
const AFTER_TROUBLE = 1000;
/** A deploy changes many at once: they are looked at together. */
const CHANGES_TOGETHER = 20;
const LONGEST_TURN = 10;
/** Keeps one script below 5 ms. */
const FIRED_AT_ONCE = 250;
