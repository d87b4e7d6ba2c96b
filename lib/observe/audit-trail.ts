import { ShortForm } from '../job/index.js';
import type { JobStore, StoredNote } from '../store/index.js';

/** Something that somebody did, or was not allowed to do. */
export interface AuditEntry {
  readonly id: string;
  /** By Redis's clock. */
  readonly at: Date;
  /** Who did it, as the application knows its users. */
  readonly who: string;
  /** What: `requeue`, `pause`, `delete`, ... */
  readonly action: string;
  readonly queue: string | undefined;
  /** To which jobs, schedules or workers, in short; never data of jobs. */
  readonly what: string | undefined;
  /** How many jobs. */
  readonly count: number | undefined;
  readonly result: AuditResult;
  /** Why it was refused or failed. */
  readonly why: string | undefined;
  /** Of whoever asked. */
  readonly ip: string | undefined;
}

/** `begun` is written before anything is done; another entry follows with how it ended. */
export type AuditResult = 'begun' | 'done' | 'refused' | 'failed';

/** What is written down: the id and the time are Redis's. */
export type NewAuditEntry = Pick<AuditEntry, 'who' | 'action' | 'result'> &
  Partial<Pick<AuditEntry, 'queue' | 'what' | 'count' | 'why' | 'ip'>>;

/** Who did what: the last 10 000 entries or so, kept in Redis for all who look (`inspector.desk.audit`). */
export class AuditTrail extends ShortForm {
  readonly #store: JobStore;

  /** @internal */
  constructor(store: JobStore) {
    super();
    this.#store = store;
  }

  /** Writes an entry down, and gives it as it stands there. @throws RqConnectionError */
  async add(entry: NewAuditEntry): Promise<AuditEntry> {
    const fields: Record<string, string> = {};
    for (const [key, value] of Object.entries(entry)) {
      if (value !== undefined) fields[key] = String(value).slice(0, LONGEST);
    }
    const id = await this.#store.figures.desk.note(fields);
    return entryOf({ id, fields });
  }

  /**
   * The newest first.
   * @param range.before id of an entry: those before it; default: from the newest on
   * @param range.limit at most so many; default 100
   */
  async entries(range: { before?: string; limit?: number } = {}): Promise<AuditEntry[]> {
    const { before, limit = 100 } = range;
    const notes = await this.#store.figures.desk.notes({ before, limit });
    return notes.map(entryOf);
  }

  /** What JSON and logs show of it. */
  toJSON(): object {
    return {};
  }
}

/** Anybody may have written it: what makes no sense counts as absent. */
function entryOf({ id, fields }: StoredNote): AuditEntry {
  const count = Number(fields['count'] ?? NaN);
  const result = fields['result'];
  return {
    id,
    at: new Date(Number(id.split('-')[0]) || 0),
    who: fields['who'] ?? '',
    action: fields['action'] ?? '',
    queue: fields['queue'],
    what: fields['what'],
    count: Number.isFinite(count) ? count : undefined,
    result: isResult(result) ? result : 'done',
    why: fields['why'],
    ip: fields['ip'],
  };
}

function isResult(text: string | undefined): text is AuditResult {
  return text === 'begun' || text === 'done' || text === 'refused' || text === 'failed';
}

const LONGEST = 1000;
