import type { JobSummary } from '../wire/job-row.js';
import type { FigureStore, RegistryCounts, RegistryName } from './figure-store.js';

export type { RegistryCounts, RegistryName };

/** What watchers read: people with a list before them, command lines, dashboards, metrics. It changes nothing. */
export interface WatcherStore {
  /** Names of all queues that anybody has put a job into. */
  queues(): Promise<string[]>;
  counts(queue: string): Promise<RegistryCounts>;
  /**
   * The jobs of a registry or the queue, in its order, a call for up to 200 of them. Ids without a job are left out;
   * entries of ended jobs whose time is over are not even counted by `offset`.
   */
  list(queue: string, registry: RegistryName, range: ListRange): Promise<JobSummary[]>;
  /** The part of such a list that one call gives. */
  page(queue: string, registry: RegistryName, range: ListRange): Promise<ListPage>;
  isPaused(queue: string): Promise<boolean>;
  readonly figures: FigureStore;
  /**
   * Looks whether the database can hold jobs, before anything is written: what is wrong with its settings and does not
   * keep it from that, a sentence each.
   * @throws UnusableRedisError when it cannot, or this process may not do there what it has to
   */
  audit(role: 'producer' | 'worker' | 'watcher'): Promise<string[]>;
}

export interface ListPage {
  readonly jobs: readonly JobSummary[];
  /** How many entries were looked at, those without a job included. */
  readonly looked: number;
  readonly more: boolean;
}

export interface ListRange {
  /** How many entries are passed over. */
  readonly offset: number;
  /** How many entries are looked at. */
  readonly limit: number;
}
