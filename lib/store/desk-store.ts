/**
 * What operators share: a list of who did what, how far long operations are, and word to single workers. Everything here
 * is read and written by people's tools alone; no worker and no producer asks for it.
 */
export interface DeskStore {
  /** Writes down an entry of the audit; the oldest of about 10 000 goes. Gives its id. */
  note(fields: Readonly<Record<string, string>>): Promise<string>;
  /**
   * Entries of the audit, the newest first.
   * @param before id of an entry: only those before it
   */
  notes(range: {
    readonly before: string | undefined;
    readonly limit: number;
  }): Promise<readonly StoredNote[]>;
  /** Writes fields of an operation; it is kept for a day after the last time. */
  saveOperation(id: string, fields: Readonly<Record<string, string>>): Promise<void>;
  /** The fields of an operation; undefined: there is none. */
  operation(id: string): Promise<Readonly<Record<string, string>> | undefined>;
  /** Ids of the operations of the last hour, the newest first, at most 50. */
  recentOperations(): Promise<readonly string[]>;
  /** Takes an operation, or keeps it, for a few seconds; false: somebody else holds it. */
  holdOperation(id: string, holder: string): Promise<boolean>;
  /** RQ's suspension: no worker takes a job, Python's too. */
  suspend(): Promise<void>;
  unsuspend(): Promise<void>;
  /** RQ's command `shutdown`: the worker ends when its running jobs have. */
  shutDown(worker: string): Promise<void>;
}

export interface StoredNote {
  readonly id: string;
  readonly fields: Readonly<Record<string, string>>;
}
