import { RqConnectionError, formatDuration } from '../../job/index.js';
import { type Timer, after } from '../../time/timer.js';

/**
 * Makes one line of an outage of Redis, and one of its end. Each queue of a worker finds out by itself that Redis does not
 * answer or refuses, and so does whatever looks after its jobs; people want to know it once, with the names of the queues.
 */
export class Outage {
  /** What does not work now, in the words of the worker, and of which queue. */
  private readonly open = new Map<string, string>();
  /** Troubles without a queue that the line about queues stands for. */
  private readonly implied = new Set<string>();
  /** To be told: what has come since the last line. */
  private fresh: Problem[] = [];
  /** Queues that a line has named, or will. */
  private readonly named = new Set<string>();
  private since = 0;
  private toldAt = -Infinity;
  private gathering: Timer | undefined;
  private returning: Timer | undefined;

  constructor(private readonly tell: OutageLines) {}

  /** @returns whether it belongs to an outage, which is told in a moment; otherwise it is told by itself */
  begins(event: Problem): boolean {
    const { error, queue, message } = event;
    if (queue === undefined && !(error instanceof RqConnectionError)) return false;
    const now = performance.now();
    if (this.open.size === 0 && this.fresh.length === 0) this.since = now;
    if (queue === undefined && this.open.size > 0) {
      this.implied.add(message);
      return true;
    }
    if (queue !== undefined) {
      const isKnown = this.named.has(queue);
      this.open.set(message, queue);
      this.named.add(queue);
      if (isKnown && now - this.toldAt < REMINDED_MS) return true;
    }
    this.fresh.push(event);
    this.gathering ??= after(GATHERED_MS, () => this.flush()).unref();
    return true;
  }

  /** @returns whether it belongs to an outage; otherwise it is told by itself */
  ends({ problem }: Solution): boolean {
    if (problem === undefined) return false;
    if (this.implied.delete(problem)) return true;
    if (!this.open.delete(problem)) return false;
    if (this.open.size === 0) this.tellBack();
    else this.returning ??= after(RETURNING_MS, () => this.tellBack()).unref();
    return true;
  }

  /** Tells what has come. */
  flush(): void {
    this.gathering?.cancel();
    this.gathering = undefined;
    const fresh = this.fresh.splice(0);
    if (fresh.length === 0) return;
    this.toldAt = performance.now();
    const queues = new Set<string>();
    for (const [why, events] of byReason(fresh)) {
      // What a queue has told first is the cause of the rest.
      const names = new Set(events.flatMap(({ queue = '' }) => (queues.has(queue) ? [] : queue)));
      names.delete('');
      for (const name of names) queues.add(name);
      if (names.size > 0) this.tell.away([...names].toSorted(), why);
    }
    for (const event of fresh) {
      if (event.queue !== undefined) continue;
      if (queues.size > 0) this.implied.add(event.message);
      else this.tell.alone(event);
    }
  }

  /** Those that are served again: of a cluster, some may be and others not. */
  private tellBack(): void {
    this.returning?.cancel();
    this.returning = undefined;
    this.flush();
    const away = new Set(this.open.values());
    const back = [...this.named].filter((queue) => !away.has(queue)).toSorted();
    for (const queue of back) this.named.delete(queue);
    const lasted = Math.max(1000, Math.round((performance.now() - this.since) / 1000) * 1000);
    if (back.length > 0) this.tell.back(back, formatDuration(lasted));
  }
}

/** That Redis cannot be reached has many wordings, and is one reason. */
function byReason(events: readonly Problem[]): [string, Problem[]][] {
  const groups = new Map<string, [string, Problem[]]>();
  for (const event of events) {
    const { error } = event;
    const isAway = error instanceof RqConnectionError;
    const why = isAway ? error.explanation : error instanceof Error ? error.message : event.message;
    const group = groups.get(isAway ? '' : why) ?? [why, []];
    groups.set(isAway ? '' : why, group);
    group[1].push(event);
  }
  return [...groups.values()];
}

export interface Problem {
  readonly message: string;
  readonly error?: unknown;
  readonly queue?: string | undefined;
}

export interface Solution {
  readonly message: string;
  /** The message of what was wrong. */
  readonly problem?: string;
}

/** How it is told. */
export interface OutageLines {
  away(queues: readonly string[], explanation: string): void;
  back(queues: readonly string[], lasted: string): void;
  alone(event: Problem): void;
}

/** Queues find out within milliseconds of each other. */
const GATHERED_MS = 1000;
/** They come back one by one. */
const RETURNING_MS = 15_000;
/** While it lasts, it is told again now and then. */
const REMINDED_MS = 300_000;
