import { LOG_LINES, LostLeaseError, type ProgressEvent } from '../../job/index.js';
import type { ClaimedJob } from '../../wire/index.js';
import type { Told, WorkerStore } from '../../store/index.js';

/**
 * What a handler tells of its run, on its way to Redis: how far it is, lines of its log, data for later attempts.
 *
 * 1. What is told in one turn of the event loop travels together.
 * 2. While one call travels, the rest waits. Of progress and data only the newest is kept, and lines go on being added.
 * 3. When the run ends, what waits is sent at once, ahead of the outcome: after it, nothing would be taken any more.
 */
export class HandlerReports {
  private waiting: Waiting | undefined;
  private isSending = false;
  private hasEnded = false;
  private shownAt = -Infinity;

  constructor(
    private readonly claimed: ClaimedJob,
    private readonly store: Pick<WorkerStore, 'tell'>,
  ) {}

  /** Resolves when this or a newer one is written down, or cannot be: progress is never worth a failure. */
  progress(json: string, event: ProgressEvent): Promise<void> {
    const next = this.next();
    next.progress = { json, event };
    return next.sent;
  }

  /** Resolves when the line is written down, or cannot be. */
  log(line: string): Promise<void> {
    this.claimed.hasLog = true;
    const next = this.next();
    next.lines.push(line);
    // No more are kept: these would be the first to go.
    if (next.lines.length > 2 * LOG_LINES) next.lines.splice(0, LOG_LINES);
    return next.sent;
  }

  /**
   * @param data text of the call
   * @throws LostLeaseError when the lease is not ours any more, RqConnectionError, RedisReplyError
   */
  update(data: string): Promise<void> {
    const next = this.next();
    next.data = data;
    return new Promise((resolve, reject) => next.updates.push({ resolve, reject }));
  }

  /** The handler lives: RQ's tools may see it, not more often than they look. */
  heartbeat(): void {
    const now = performance.now();
    if (now - this.shownAt < SHOWN_EVERY_MS) return;
    this.shownAt = now;
    this.next().isAlive = true;
  }

  /** The run has ended: what waits goes now. */
  end(): void {
    this.hasEnded = true;
    if (this.waiting) void this.send(this.take());
  }

  private next(): Waiting {
    if (!this.waiting) {
      this.waiting = new Waiting();
      if (!this.isSending) setImmediate(() => void this.sendAll());
    }
    return this.waiting;
  }

  private take(): Waiting {
    const taken = this.waiting as Waiting;
    this.waiting = undefined;
    return taken;
  }

  private async sendAll(): Promise<void> {
    if (this.isSending) return;
    this.isSending = true;
    while (this.waiting && !this.hasEnded) await this.send(this.take());
    this.isSending = false;
  }

  private async send(told: Waiting): Promise<void> {
    const { claimed } = this;
    const { queue, id: jobId } = claimed;
    try {
      const answers = slicesOf(told).map((slice) => this.store.tell(queue, claimed, slice));
      const isOurs = (await Promise.all(answers)).every(Boolean);
      if (isOurs) for (const { resolve } of told.updates) resolve();
      else for (const { reject } of told.updates) reject(new LostLeaseError({ jobId }));
    } catch (error) {
      // Of the rest nothing is worth a failure: Redis is away, and the worker has noticed by itself.
      for (const { reject } of told.updates) reject(error as Error);
    }
    told.isSent();
  }
}

/** What travels next. */
class Waiting {
  progress: Told['progress'];
  readonly lines: string[] = [];
  data: string | undefined;
  isAlive = false;
  readonly updates: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  isSent!: () => void;
  readonly sent = new Promise<void>((resolve) => (this.isSent = resolve));
}

/** Long lines go in several calls, so that none holds up everybody. */
function slicesOf({ progress, lines: all, data, isAlive }: Waiting): Told[] {
  const kept = all.slice(-LOG_LINES);
  const slices: Told[] = [];
  let size = 0;
  let lines: string[] = [];
  for (const line of kept) {
    if (size + line.length > LARGE_CALL && lines.length > 0) {
      slices.push({ lines, isAlive: false });
      lines = [];
      size = 0;
    }
    lines.push(line);
    size += line.length;
  }
  return [...slices, { progress, lines, data, isAlive }];
}

/** Characters. */
const LARGE_CALL = 262_144;

/** RQ's tools look for signs of life within a minute or more. */
const SHOWN_EVERY_MS = 10_000;
