import {
  type JobSelection,
  type ResolvedSelection,
  type SelectableIn,
  ShortForm,
  hideFields,
} from '../job/index.js';
import { type JobStore, isSelected } from '../store/index.js';
import type { JobSummary } from '../wire/index.js';

/** Which jobs are looked for: as a selection says, in one queue, in some, or in all. */
export type JobSearch = Exclude<JobSelection, readonly string[]> & {
  /** Default: all queues. */
  readonly queue?: string | readonly string[];
};

export interface SearchOptions {
  /** How many entries are looked at at most; default 10 000. */
  readonly budget?: number;
  /** Ends the search; what was found stays. */
  readonly signal?: AbortSignal;
}

/**
 * The jobs that a search finds, as they are found: of jobs that have ended the newest first, of others in the order of
 * their place. It stops when its budget is used up, so that a search in a million jobs holds up neither Redis nor anybody
 * who waits; how far it has come can be read at any time.
 */
export class FoundJobs extends ShortForm implements AsyncIterable<JobSummary> {
  private entries = 0;
  private all = 0;
  private isDone = false;

  readonly #store: Pick<JobStore, 'page' | 'counts'>;
  readonly #queues: () => Promise<readonly string[]>;

  /** @internal */
  constructor(
    store: Pick<JobStore, 'page' | 'counts'>,
    queues: () => Promise<readonly string[]>,
    private readonly selection: ResolvedSelection,
    private readonly budget: number,
    private readonly signal: AbortSignal | undefined,
  ) {
    super();
    this.#store = store;
    this.#queues = queues;
    hideFields(this);
  }

  /** How many entries were looked at. */
  get looked(): number {
    return this.entries;
  }

  /** How many there were in all places that were to be looked at, when the search came there. */
  get total(): number {
    return this.all;
  }

  /** Everything was looked at: neither the budget nor the signal has ended it. */
  get isComplete(): boolean {
    return this.isDone;
  }

  /** What JSON and logs show of it. */
  toJSON(): { readonly looked: number; readonly total: number; readonly isComplete: boolean } {
    const { looked, total, isComplete } = this;
    return { looked, total, isComplete };
  }

  /** @throws RqConnectionError */
  async *[Symbol.asyncIterator](): AsyncIterator<JobSummary> {
    const { limit = Infinity } = this.selection;
    this.entries = this.all = 0;
    this.isDone = false;
    let found = 0;
    for (const queue of await this.#queues()) {
      for await (const job of this.inQueue(queue)) {
        if (!isSelected(job, this.selection)) continue;
        if (found >= limit) return;
        found += 1;
        yield job;
      }
      if (this.signal?.aborted) return;
    }
    // The budget may have been spent with the very last entry.
    this.isDone = !this.isSpent || this.entries >= this.all;
  }

  private get isSpent(): boolean {
    return this.entries >= this.budget || this.signal?.aborted === true;
  }

  private async *inQueue(queue: string): AsyncIterable<JobSummary> {
    const place = this.selection.in;
    const total = (await this.#store.counts(queue))[place];
    this.all += total;
    const isBackward = BACKWARD.has(place);
    const seen = new Set<string>();
    for (let at = 0; at < total && !this.isSpent; at += PAGE) {
      const limit = Math.min(PAGE, total - at, this.budget - this.entries);
      const offset = isBackward ? total - at - limit : at;
      // An entry may have moved meanwhile.
      const page = await this.wholePage(queue, { offset, limit });
      this.entries += page.looked;
      const jobs = isBackward ? page.jobs.toReversed() : page.jobs;
      for (const job of jobs) {
        if (seen.has(job.id)) continue;
        seen.add(job.id);
        yield job;
      }
      if (limit < PAGE) return;
    }
  }

  /** One call gives less when jobs are large. */
  private async wholePage(queue: string, { offset, limit }: { offset: number; limit: number }) {
    const jobs: JobSummary[] = [];
    let looked = 0;
    while (looked < limit) {
      const range = { offset: offset + looked, limit: limit - looked };
      const page = await this.#store.page(queue, this.selection.in, range);
      jobs.push(...page.jobs);
      looked += page.looked;
      if (!page.more || page.looked === 0) break;
    }
    return { jobs, looked };
  }
}

/** Jobs that have ended are entered by when they are deleted: the newest stand last. */
const BACKWARD: ReadonlySet<SelectableIn> = new Set(['finished', 'failed', 'canceled']);
const PAGE = 200;
