/**
 * What processes share of alerts: who looks, what is known of each alert, who has told people. Everything is a text of
 * whoever wrote it; nothing here decides.
 */
export interface AlertStore {
  /**
   * Makes this process the one that looks, or keeps it so.
   * @param rank one of a higher rank takes the place of one of a lower rank
   * @param milliseconds after which it is nobody's any more, if it is not called again
   */
  lead(process: string, rank: number, milliseconds: number): Promise<boolean>;
  /** It does not look any more: another may at once. */
  resign(process: string, rank: number): Promise<void>;
  /** Somebody looks. */
  isLed(): Promise<boolean>;
  /** What is known of alerts, by their keys. */
  read(): Promise<Record<string, string>>;
  /** Writes what is known of some, and forgets others. */
  write(known: Readonly<Record<string, string>>, gone: readonly string[]): Promise<void>;
  /** Whether nobody else tells people of this; nobody will after that. */
  claim(telling: string): Promise<boolean>;
  /**
   * A critical job has failed for good; whether it is the first failure that is not forgotten.
   * @param failure which job it was and why, as whoever calls writes it
   */
  addCriticalFailure(queue: string, job: string, at: number, failure: string): Promise<boolean>;
  criticalFailures(): Promise<readonly CriticalFailures[]>;
  forgetCriticalFailures(queue: string, job: string): Promise<void>;
}

/** Failures for good of the critical jobs of one name. */
export interface CriticalFailures {
  readonly queue: string;
  readonly job: string;
  readonly count: number;
  /** Milliseconds since the epoch. */
  readonly last: number;
  /** What was written down of the last one; undefined: nothing. */
  readonly lastFailure: string | undefined;
}
