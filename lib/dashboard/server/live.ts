import type { Overview, RqAlert, RqInspector, WorkerState } from '../../observe/index.js';
import { type Timer, after, cleanLine } from '../../observe/index.js';
import type {
  AlertAnswer,
  LiveAnswer,
  OperationAnswer,
  TroubleAnswer,
  WorkerAnswer,
} from './answers.js';
import { Figures } from './figures.js';
import { operationAnswer } from './job-answers.js';

/**
 * How everything stands, read once every two seconds for all who look, and not at all while nobody does. It asks for
 * counts and never listens to the events of jobs, which would make the workers publish each of them.
 */
export class Live {
  readonly #figures: Figures;
  readonly #followers = new Set<(change: Change) => void>();
  #rows = new Map<string, string>();
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
      const [overview, operations, alerts, isWatched] = await Promise.all([
        this.inspector.overview({ live: true }),
        desk.operations.list(),
        this.inspector.alerts(),
        this.inspector.isWatched(),
      ]);
      const queues = overview.queues.map(({ queue }) => queue);
      await this.#figures.refresh(queues, overview.at.getTime());
      void desk.operations.takeOver(operations).catch(() => undefined);
      this.#at = overview.at.getTime();
      this.#rows = rowsOf(overview, this.#figures, operations.map(operationAnswer)).set(
        'watched',
        JSON.stringify(isWatched),
      );
      for (const alert of alerts) {
        this.#rows.set(`alert:${alert.id}`, JSON.stringify(alertAnswer(alert)));
      }
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

/**
 * The part of a change that concerns queues which somebody may see, as one JSON text.
 * @param told the rows that they know of: only those can be gone. It is kept up to date
 */
export function jsonOf(
  change: Change,
  sees: (queue: string) => boolean,
  chart: LiveAnswer['set'],
  told = new Set<string>(),
): string {
  const rows: string[] = [];
  for (const [key, json] of change.set) {
    const seen = seenOf(key, json, sees);
    if (seen === undefined) continue;
    told.add(key);
    rows.push(`${JSON.stringify(key)}:${seen}`);
  }
  for (const [key, value] of Object.entries(chart))
    rows.push(`${JSON.stringify(key)}:${JSON.stringify(value)}`);
  const { at, down } = change;
  const gone = change.gone.filter((key) => told.delete(key));
  return `{"at":${at},"down":${JSON.stringify(down)},"gone":${JSON.stringify(gone)},"set":{${rows.join(',')}}}`;
}

/** A row as somebody may see it. Of a worker they see the queues that they may, and what runs there. */
function seenOf(key: string, json: string, sees: (queue: string) => boolean): string | undefined {
  if (key.startsWith('queue:')) return sees(key.slice('queue:'.length)) ? json : undefined;
  const row = JSON.parse(json) as { queue?: string } & Partial<WorkerAnswer>;
  if (!row.queues) return row.queue === undefined || sees(row.queue) ? json : undefined;
  const queues = row.queues.filter(sees);
  if (queues.length === row.queues.length) return json;
  if (queues.length === 0) return undefined;
  const running = row.running?.filter(({ queue }) => sees(queue));
  return JSON.stringify({ ...row, queues, running });
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

function alertAnswer(alert: RqAlert): AlertAnswer {
  const { id, rule, queue, job, value, limit, severity, since, mutedUntil, sentence } = alert;
  const { lastFailure = null } = alert;
  return {
    id,
    rule,
    queue,
    job: job === undefined ? null : cleanLine(job, 200),
    value,
    limit,
    severity,
    since: since.getTime(),
    mutedUntil: mutedUntil?.getTime() ?? null,
    lastFailure,
    sentence: cleanLine(sentence),
  };
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
