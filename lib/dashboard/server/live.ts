import type { Overview, RqInspector, WorkerState } from '../../observe/index.js';
import { type Timer, after } from '../../observe/index.js';
import type { LiveAnswer, OperationAnswer, TroubleAnswer, WorkerAnswer } from './answers.js';
import { Figures } from './figures.js';
import { operationAnswer } from './job-answers.js';

/**
 * How everything stands, read once every two seconds for all who look, and not at all while nobody does. It asks for
 * counts and never listens to the events of jobs, which would make the workers publish each of them.
 */
export class Live {
  readonly #figures: Figures;
  readonly #followers = new Set<(change: Change) => void>();
  #rows: ReadonlyMap<string, string> = new Map();
  #timer: Timer | undefined;
  #at = 0;
  #downSince: number | undefined;
  #reading: Promise<void> | undefined;
  #readAt = -Infinity;
  #isOver = false;

  constructor(
    private readonly inspector: RqInspector,
    private readonly everyMs = EVERY_MS,
  ) {
    this.#figures = new Figures(inspector);
  }

  /** Follows the changes until the function that it gives is called. */
  follow(follower: (change: Change) => void): () => void {
    this.#followers.add(follower);
    if (!this.#timer) this.tick();
    return () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    };
  }

  get followers(): number {
    return this.#followers.size;
  }

  /** All rows, not older than a moment. It never fails: `down` says since when Redis does not answer. */
  async now(): Promise<Change> {
    if (performance.now() - this.#readAt > FRESH_MS) await this.read();
    return this.change(this.#rows, []);
  }

  /** Nothing is read any more. */
  close(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#followers.clear();
  }

  private tick(): void {
    if (this.#isOver) return;
    const go = async () => {
      const before = this.#rows;
      const wasDown = this.#downSince;
      await this.read();
      const set = new Map([...this.#rows].filter(([key, json]) => before.get(key) !== json));
      const gone = [...before.keys()].filter((key) => !this.#rows.has(key));
      const change = this.change(set, gone);
      const isNews = set.size + gone.length > 0 || wasDown !== this.#downSince;
      for (const follower of this.#followers) if (isNews || this.isBeat()) follower(change);
      if (this.#followers.size > 0) this.#timer = after(this.everyMs, () => this.tick()).unref();
    };
    this.#timer = after(0, () => void go());
  }

  #beats = 0;
  /** Now and then a word although nothing is new: proxies cut silent streams, and the page knows that it is live. */
  private isBeat(): boolean {
    this.#beats += 1;
    return this.#beats % 3 === 0;
  }

  private change(set: ReadonlyMap<string, string>, gone: readonly string[]): Change {
    return { at: this.#at, set, gone, down: this.#downSince ?? null };
  }

  private read(): Promise<void> {
    this.#reading ??= this.readOnce().finally(() => (this.#reading = undefined));
    return this.#reading;
  }

  private async readOnce(): Promise<void> {
    try {
      const { desk } = this.inspector;
      const [overview, operations] = await Promise.all([
        this.inspector.overview({ live: true }),
        desk.operations.list(),
      ]);
      const queues = overview.queues.map(({ queue }) => queue);
      await this.#figures.refresh(queues, overview.at.getTime());
      void desk.operations.takeOver(operations).catch(() => undefined);
      this.#at = overview.at.getTime();
      this.#rows = rowsOf(overview, this.#figures, operations.map(operationAnswer));
      this.#downSince = undefined;
    } catch {
      this.#downSince ??= Date.now();
    }
    this.#readAt = performance.now();
  }

  /** The last hour of the queues that somebody may see. */
  chart(queues: readonly string[]) {
    return this.#figures.chart(queues);
  }

  /** The names of all queues, as they were read last. */
  get queues(): string[] {
    return [...this.#rows.keys()]
      .filter((key) => key.startsWith('queue:'))
      .map((key) => key.slice(6));
  }
}

/** Rows as JSON, since they are compared and sent more often than looked at. */
export interface Change {
  readonly at: number;
  readonly set: ReadonlyMap<string, string>;
  readonly gone: readonly string[];
  readonly down: number | null;
}

/** The part of a change that concerns queues which somebody may see, as one JSON text. */
export function jsonOf(
  change: Change,
  sees: (queue: string) => boolean,
  chart: LiveAnswer['set'],
): string {
  const rows = [...change.set]
    .filter(([key, json]) => concerns(key, json, sees))
    .map(([key, json]) => `${JSON.stringify(key)}:${json}`);
  for (const [key, value] of Object.entries(chart))
    rows.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const { at, gone, down } = change;
  return `{"at":${at},"down":${JSON.stringify(down)},"gone":${JSON.stringify(gone)},"set":{${rows.join(',')}}}`;
}

function concerns(key: string, json: string, sees: (queue: string) => boolean): boolean {
  if (key.startsWith('queue:')) return sees(key.slice('queue:'.length));
  const row = JSON.parse(json) as { queue?: string; queues?: string[] };
  if (row.queues) return row.queues.length === 0 || row.queues.some(sees);
  return row.queue === undefined || sees(row.queue);
}

function rowsOf(
  { at, queues, workers, troubles }: Overview,
  figures: Figures,
  operations: readonly OperationAnswer[],
): Map<string, string> {
  const rows = new Map<string, string>();
  const add = (key: string, row: unknown) => rows.set(key, JSON.stringify(row));
  for (const state of queues) add(`queue:${state.queue}`, figures.row(state));
  for (const worker of workers) add(`worker:${worker.name}`, workerAnswer(worker));
  for (const { queue, code, sentence } of troubles) {
    const state = queues.find((one) => one.queue === queue);
    const isLate = code === 'overdue';
    const trouble: TroubleAnswer = {
      queue,
      code,
      sentence,
      count: (isLate ? state?.overdue : state?.queued) ?? 0,
      ms: (isLate ? state?.overdueMs : state?.oldestMs) ?? 0,
    };
    add(`trouble:${queue}:${code}`, trouble);
  }
  for (const operation of operations) {
    const age = at.getTime() - operation.startedAt;
    if (operation.state === 'running' || age < SHOWN_MS) add(`op:${operation.id}`, operation);
  }
  return rows;
}

function workerAnswer(worker: WorkerState): WorkerAnswer {
  const { queues, running, startedAt } = worker;
  return {
    name: worker.name,
    queues: [...queues],
    state: worker.state,
    kind: worker.kind,
    host: worker.host ?? null,
    pid: worker.pid ?? null,
    version: worker.version ?? null,
    startedAt: startedAt?.getTime() ?? null,
    // To the second: a row that changes each time would be sent each time.
    silentMs: worker.silentMs === undefined ? null : Math.round(worker.silentMs / 1000) * 1000,
    isAlive: worker.isAlive,
    slots: worker.slots ?? null,
    busy: worker.busy ?? null,
    rss: worker.rss ?? null,
    lagMs: worker.lagMs ?? null,
    finished: worker.finished,
    failed: worker.failed,
    running: running.map(({ id, queue, name, since }) => ({ id, queue, name, since })),
  };
}

const EVERY_MS = 2000;
const FRESH_MS = 1000;
/** Operations that have ended are shown for a while. */
const SHOWN_MS = 600_000;
