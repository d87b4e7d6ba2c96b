import { randomUUID } from 'node:crypto';
import type { AlertStore, JobStore } from '../store/index.js';
import { TIERS } from '../wire/figures.js';
import { type Timer, after } from '../time/timer.js';
import { type AlertFailure, type RqAlert, alertId } from './alert.js';
import type { ResolvedAlerts } from './alert-options.js';
import {
  type AlertRecord,
  TELLABLE_MS,
  alertOf,
  muteField,
  nextRecords,
  readMutes,
  readRecords,
} from './alert-state.js';
import { historyOf } from './history.js';
import type { RqInspector } from './inspector.js';
import { measure } from './measured-alerts.js';

/**
 * Looks every 15 seconds whether there is something that people must be told. Of all processes one looks; when it is
 * killed, another does so one look later. Whoever has somebody to tell reads what is known and takes it upon himself to
 * tell, so that of all processes one does.
 */
export class AlertWatch {
  private readonly process = randomUUID();
  private readonly rank: number;
  private readonly told = new Set<string>();
  private timer: Timer | undefined;
  private looking: Promise<void> | undefined;
  private isStopped = false;
  private isLeading = false;

  constructor(
    private readonly store: Pick<JobStore, 'figures'>,
    private readonly inspector: RqInspector,
    private readonly options: ResolvedAlerts,
    private readonly listener: AlertListener,
  ) {
    // Whoever was told limits knows better than who goes by what holds anyway.
    this.rank = options.areGiven ? 1 : 0;
  }

  /** The first look comes after the first interval: an application that starts has better things to do. */
  start(): void {
    this.lookLater();
  }

  /** Another process may look at once. Never rejects. */
  async stop(): Promise<void> {
    this.isStopped = true;
    this.timer?.cancel();
    await this.looking;
    await this.resign();
  }

  /** A critical job has failed for good in this process. Never rejects. */
  async criticalFailed(queue: string, job: string, lastFailure: AlertFailure): Promise<void> {
    try {
      const now = (await this.store.figures.now()).getTime();
      const failure = JSON.stringify(lastFailure);
      if (!(await this.alerts.addCriticalFailure(queue, job, now, failure))) return;
      const record: AlertRecord = {
        rule: 'critical',
        queue,
        job,
        lastFailure,
        state: 'firing',
        severity: 'critical',
        value: 1,
        limit: 0,
        since: now,
        at: now,
        calm: 0,
      };
      const id = alertId(record);
      await this.alerts.write({ [id]: JSON.stringify(record) }, []);
      this.listener.changed(alertOf(id, record));
      await this.tell(new Map([[id, record]]), now);
    } catch (error) {
      this.listener.failed(error);
    }
  }

  private get alerts(): AlertStore {
    return this.store.figures.alerts;
  }

  private lookLater(): void {
    if (this.isStopped) return;
    this.timer = after(this.options.everyMs, () => {
      this.looking = this.look().finally(() => {
        this.looking = undefined;
        this.lookLater();
      });
    }).unref();
  }

  private async look(): Promise<void> {
    try {
      const { everyMs } = this.options;
      // The next look may be late; that of another process, one interval after this one, may not.
      this.isLeading = await this.alerts.lead(this.process, this.rank, everyMs * 1.5);
      if (!this.isLeading && !this.listener.hears) return;
      const texts = await this.alerts.read();
      const known = readRecords(texts);
      const now = (await this.store.figures.now()).getTime();
      const mutes = readMutes(texts);
      const records = this.isLeading ? await this.evaluate(known, mutes, now) : known;
      const isHeard = ([id]: [string, AlertRecord]) => (mutes.get(id) ?? 0) <= now;
      await this.tell(new Map([...records].filter(isHeard)), now);
      this.listener.succeeded();
    } catch (error) {
      this.listener.failed(error);
      // It may lack a right that another process has.
      await this.resign();
    }
  }

  private async resign(): Promise<void> {
    if (!this.isLeading) return;
    this.isLeading = false;
    await this.alerts.resign(this.process, this.rank).catch(() => undefined);
  }

  private async evaluate(
    known: ReadonlyMap<string, AlertRecord>,
    mutes: ReadonlyMap<string, number>,
    now: number,
  ): Promise<ReadonlyMap<string, AlertRecord>> {
    const [{ queues }, critical] = await Promise.all([
      this.inspector.overview(),
      this.alerts.criticalFailures(),
    ]);
    const exhausted = (queue: string, per: number) => this.exhausted(queue, per, now);
    const measured = await measure(queues, this.options, { exhausted, critical, now });
    const { records, gone, told } = nextRecords(known, measured, now, this.options.everyMs);
    const texts = [...records].map(([id, record]) => [id, JSON.stringify(record)]);
    const endedMutes = [...mutes].filter(([, until]) => until <= now).map(([id]) => muteField(id));
    await this.alerts.write(Object.fromEntries(texts), [...gone, ...endedMutes]);
    for (const record of told) {
      const id = alertId(record);
      if ((mutes.get(id) ?? 0) <= now) this.listener.changed(alertOf(id, record));
    }
    const over = told.filter(({ rule, state }) => rule === 'critical' && state === 'resolved');
    for (const { queue, job = '' } of over) await this.alerts.forgetCriticalFailures(queue, job);
    return records;
  }

  private async exhausted(queue: string, per: number, now: number): Promise<number> {
    const [tier] = TIERS;
    const range = { from: new Date(now - per), until: new Date(now) };
    const buckets = await this.store.figures.buckets(queue, tier, range.from);
    return historyOf(queue, tier, buckets, range).total.failed;
  }

  /** Those that somebody here wants to hear of, and that nobody else has told. */
  private async tell(records: ReadonlyMap<string, AlertRecord>, now: number): Promise<void> {
    for (const [id, record] of records) {
      if (record.state === 'pending') continue;
      const telling = `${record.since}:${record.state}:${id}`;
      if (this.told.has(telling)) continue;
      const alert = alertOf(id, record);
      if (!this.listener.isWanted(alert)) continue;
      this.remember(telling);
      // What was over long before this process was there is no news.
      if (record.state === 'resolved' && now - record.at > TELLABLE_MS) continue;
      if (await this.alerts.claim(telling)) this.listener.tell(alert);
    }
  }

  private remember(telling: string): void {
    this.told.add(telling);
    if (this.told.size > MOST_TOLD) this.told.delete(this.told.values().next().value as string);
  }
}

/** Whom the watch tells of alerts. */
export interface AlertListener {
  /** Somebody here wants to hear of some. */
  readonly hears: boolean;
  isWanted(alert: RqAlert): boolean;
  /** It has begun, or is over, and nobody else tells people. */
  tell(alert: RqAlert): void;
  /** This process has found out that it has begun, or is over. */
  changed(alert: RqAlert): void;
  /** It could not look. */
  failed(error: unknown): void;
  /** It has looked. */
  succeeded(): void;
}

const MOST_TOLD = 1000;
