import type { Durability } from '../../job/index.js';
import type { WorkerStore } from '../../store/index.js';
import type { JobReporter } from '../report/job-reporter.js';
import type { JobRunner } from '../run/job-runner.js';
import type { EndOfWork } from './end-of-work.js';
import type { OwnGate } from './own-rooms.js';
import type { PrefetchLimit } from './prefetch-limit.js';
import type { Slots } from './slots.js';

/** What the consumer of a queue works with. */
export interface ConsumerSettings {
  readonly store: Pick<
    WorkerStore,
    'exchange' | 'leasesOf' | 'blockingPop' | 'onWake' | 'replicated'
  >;
  readonly runner: Pick<JobRunner, 'start' | 'startBatch' | 'held' | 'countOf'>;
  readonly reporter: JobReporter;
  readonly slots: Slots;
  readonly prefetch: PrefetchLimit;
  readonly maxCrashes: number;
  /** What this worker says for itself of handlers; default: nothing. */
  readonly ownGates?: ReadonlyMap<string, OwnGate>;
  readonly leaseMs: number;
  /** What replicas must have before outcomes are told; undefined: Redis's answer is enough. */
  readonly durability?: Durability | undefined;
  readonly workerName: string;
  /** Begins the names of this worker's executions. */
  readonly token: string;
  /** When the worker ends by itself; undefined: never. */
  readonly end?: Pick<EndOfWork, 'left' | 'jobEnded' | 'answered'>;
  /** Told Redis's clock with every answer. */
  clock(now: number): void;
}
