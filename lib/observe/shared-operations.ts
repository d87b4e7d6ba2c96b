import { randomBytes } from 'node:crypto';
import type { JobSelection, RequeueOptions, SelectableIn } from '../job/index.js';
import { ShortForm } from '../job/index.js';
import type { JobStore, Undeleted } from '../store/index.js';
import { after } from '../time/timer.js';
import type { RqInspector } from './inspector.js';
import type { BulkOperation } from './operation.js';

/** What is to be done to many jobs of a queue, so that everybody sees how far it is. */
export interface OperationRequest {
  readonly action: 'requeue' | 'cancel' | 'delete' | 'promote';
  readonly queue: string;
  /** Ids, or jobs of a place. An expression as `error` is not possible: it is written down. */
  readonly selection: StoredSelection;
  /** Jobs per second at most. */
  readonly rate?: number | undefined;
  /** Of `requeue`. */
  readonly options?: Pick<RequeueOptions, 'front' | 'retries'> | undefined;
  /** Who wants it. */
  readonly who: string;
}

export type StoredSelection =
  | readonly string[]
  | {
      readonly in: SelectableIn;
      readonly name?: string;
      readonly cause?: string;
      readonly error?: string;
      readonly before?: Date;
      readonly after?: Date;
      readonly limit?: number;
    };

/** How far an operation is. */
export interface OperationState extends Omit<OperationRequest, 'selection' | 'options'> {
  readonly id: string;
  readonly state: 'running' | 'done' | 'canceled' | 'failed';
  readonly startedAt: Date;
  /** Jobs that were changed. */
  readonly done: number;
  /** Entries that were looked at, and how many there were when it began. */
  readonly looked: number;
  readonly total: number | undefined;
  /** Jobs that were left as they are, and ids whose jobs are gone; once it has ended. */
  readonly skipped: number;
  readonly missing: number;
  /** Why it failed. */
  readonly why: string | undefined;
  /** What was deleted can be had back for an hour: see `undo`. */
  readonly isUndoable: boolean;
}

/**
 * Operations on many jobs that all viewers see, in whatever process: their progress stands in Redis, each can be canceled
 * by anybody, and one whose process has died is taken over by another that looks (`inspector.desk.operations`).
 */
export class SharedOperations extends ShortForm {
  readonly #store: JobStore;
  readonly #inspector: RqInspector;
  /** Says that an operation is ours. */
  readonly #holder = randomBytes(9).toString('base64url');
  readonly #own = new Set<string>();

  /** @internal */
  constructor(store: JobStore, inspector: RqInspector) {
    super();
    this.#store = store;
    this.#inspector = inspector;
  }

  /**
   * Begins one. It goes on in this process; `ended` is called when it has ended here.
   * @throws InvalidOptionError, RqConnectionError
   */
  async start(
    request: OperationRequest,
    ended: (state: OperationState) => void = () => {},
  ): Promise<OperationState> {
    const id = randomBytes(8).toString('hex');
    const bounded = withEnd(request, new Date());
    await this.#store.figures.desk.holdOperation(id, this.#holder);
    const begun = this.carryOut(bounded);
    const fields: Record<string, string> = {
      request: toText(bounded),
      startedAt: String(Date.now()),
      state: 'running',
    };
    if (begun.undoId !== undefined) fields['undoIds'] = begun.undoId;
    await this.#store.figures.desk.saveOperation(id, fields);
    void this.follow(id, begun, 0, ended);
    return stateOf(id, fields) as OperationState;
  }

  /** Those of the last hour, the newest first. @throws RqConnectionError */
  async list(): Promise<OperationState[]> {
    const ids = await this.#store.figures.desk.recentOperations();
    const states = await Promise.all(ids.map((id) => this.get(id)));
    return states.filter((state) => state !== undefined);
  }

  /** How far one is; undefined: there is none, or no more. @throws RqConnectionError */
  async get(id: string): Promise<OperationState | undefined> {
    const fields = await this.#store.figures.desk.operation(id);
    return fields && stateOf(id, fields);
  }

  /** Ends it within about a second, wherever it goes on. What is done stays done. @throws RqConnectionError */
  async cancel(id: string): Promise<void> {
    if (await this.#store.figures.desk.operation(id)) {
      await this.#store.figures.desk.saveOperation(id, { cancel: '1' });
    }
  }

  /**
   * Gives back what an operation has deleted within the last hour: of those jobs that had ended and that no other job waited
   * for. Undefined: there is nothing to undo. @throws RqConnectionError
   */
  async undo(id: string): Promise<Undeleted | undefined> {
    const fields = await this.#store.figures.desk.operation(id);
    const request = fields && fromText(fields['request']);
    if (!request || !fields['undoIds']) return undefined;
    const sum = { restored: 0, refused: 0 };
    for (const undoId of fields['undoIds'].split(' ')) {
      const { restored, refused } = await this.#inspector.undoDelete(request.queue, undoId);
      sum.restored += restored;
      sum.refused += refused;
    }
    await this.#store.figures.desk.saveOperation(id, { undoIds: '' });
    return sum;
  }

  /** Goes on with operations whose process has died. Gives how many were taken over. @throws RqConnectionError */
  async takeOver(states: readonly OperationState[]): Promise<number> {
    let taken = 0;
    for (const { id, state, done } of states) {
      if (state !== 'running' || this.#own.has(id)) continue;
      if (!(await this.#store.figures.desk.holdOperation(id, this.#holder))) continue;
      const fields = await this.#store.figures.desk.operation(id);
      const request = fields && fromText(fields['request']);
      if (!request || fields['state'] !== 'running') continue;
      taken += 1;
      const goesOn = this.carryOut(request);
      if (goesOn.undoId !== undefined) {
        const undoIds = [fields['undoIds'], goesOn.undoId].filter(Boolean).join(' ');
        await this.#store.figures.desk.saveOperation(id, { undoIds });
      }
      void this.follow(id, goesOn, done, () => {});
    }
    return taken;
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }

  private carryOut(request: OperationRequest): BulkOperation {
    const { action, queue, rate, options } = request;
    const selection = request.selection as never as JobSelection<never>;
    const pace = rate === undefined ? {} : { rate };
    if (action === 'requeue') {
      return this.#inspector.requeue(queue, selection, { ...options, ...pace });
    }
    if (action === 'delete') return this.#inspector.delete(queue, selection, pace);
    if (action === 'cancel') return this.#inspector.cancel(queue, selection, pace);
    return this.#inspector.promote(queue, selection, pace);
  }

  /** Writes down how far it is, twice a second, and looks whether somebody has canceled it. */
  private async follow(
    id: string,
    operation: BulkOperation,
    before: number,
    ended: (state: OperationState) => void,
  ): Promise<void> {
    this.#own.add(id);
    const { desk } = this.#store.figures;
    let isOver = false;
    let isCanceled = false;
    const end = operation.report().then(
      (report) => ({ report, why: undefined }),
      (error: unknown) => ({ report: undefined, why: String(error).slice(0, 300) }),
    );
    const over = end.then(() => (isOver = true));
    const fields = () => {
      const { done, looked, total } = operation.progress;
      const known = total === undefined ? undefined : { total: String(total + before) };
      return { done: String(done + before), looked: String(looked + before), ...known };
    };
    while (!isOver) {
      try {
        await desk.holdOperation(id, this.#holder);
        await desk.saveOperation(id, fields());
        if ((await desk.operation(id))?.['cancel']) {
          isCanceled = true;
          operation.cancel();
        }
      } catch {
        // Redis is away: the operation itself says so in the end.
      }
      await Promise.race([over, pause(LOOK_MS)]);
    }
    const { report, why } = await end;
    const skipped = report
      ? report.skipped.running + report.skipped.state + report.skipped.duplicate
      : 0;
    const last = {
      ...fields(),
      ...(report && { done: String(report.done + before), looked: String(report.looked + before) }),
      skipped: String(skipped),
      missing: String(report?.missing ?? 0),
      ...(why === undefined ? undefined : { why }),
      state: why === undefined ? (isCanceled ? 'canceled' : 'done') : 'failed',
    };
    this.#own.delete(id);
    await desk.saveOperation(id, last).catch(() => undefined);
    const state = await this.get(id).catch(() => undefined);
    if (state) ended(state);
  }
}

/** Jobs that come there later are not meant, or an operation that is taken over would do them, too. */
function withEnd(request: OperationRequest, now: Date): OperationRequest {
  const { selection } = request;
  if (!('in' in selection) || !ENDED.has(selection.in)) return request;
  return { ...request, selection: { ...selection, before: selection.before ?? now } };
}

const ENDED: ReadonlySet<SelectableIn> = new Set(['finished', 'failed', 'canceled']);

function toText(request: OperationRequest): string {
  return JSON.stringify(request);
}

function fromText(text: string | undefined): OperationRequest | undefined {
  try {
    return JSON.parse(text ?? '', (key, value: unknown) =>
      (key === 'before' || key === 'after') && typeof value === 'string' ? new Date(value) : value,
    ) as OperationRequest;
  } catch {
    return undefined;
  }
}

function stateOf(id: string, fields: Readonly<Record<string, string>>): OperationState | undefined {
  const request = fromText(fields['request']);
  if (!request) return undefined;
  const number = (key: string) => Number(fields[key] ?? 0) || 0;
  const { action, queue, rate, who } = request;
  const state = fields['state'];
  return {
    id,
    action,
    queue,
    rate,
    who,
    state: state === 'done' || state === 'canceled' || state === 'failed' ? state : 'running',
    startedAt: new Date(number('startedAt')),
    done: number('done'),
    looked: number('looked'),
    total: fields['total'] === undefined ? undefined : number('total'),
    skipped: number('skipped'),
    missing: number('missing'),
    why: fields['why'],
    isUndoable: Boolean(fields['undoIds']),
  };
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => after(milliseconds, resolve).unref());
}

const LOOK_MS = 500;
