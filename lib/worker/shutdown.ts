import { ShutdownError } from '../job/index.js';
import { within } from '../time/within.js';
import type { JobRunner } from './run/job-runner.js';
import type { QueueConsumer } from './serve/queue-consumer.js';
import type { Webhooks } from './report/webhooks.js';
import type { Heartbeat } from './upkeep/heartbeat.js';
import type { LeaseKeeper } from './upkeep/lease-keeper.js';
import type { Recovery } from './upkeep/recovery.js';

/**
 * The order in which a worker stops. No step waits for Redis for long: where it is away, the leases bring the jobs back.
 *
 * 1. A start that is under way breaks off.
 * 2. Nothing that others left behind is looked for any more, and no more jobs are taken.
 * 3. Running jobs may finish, for `shutdownTimeout`.
 * 4. The others are interrupted: their signals abort, and they go back to the head of their queues, spending no retry.
 * 5. All outcomes are written down. What replicas do not have by then (`durability`) is told all the same.
 * 6. Leases are kept until here; then the worker leaves the list of workers. Meanwhile webhooks under way may arrive.
 * 7. Its links and timers are closed.
 */
export async function shutDown(worker: StoppingWorker): Promise<void> {
  const { served } = worker;
  if (worker.starting) await within(STEP_MS, worker.starting);
  worker.recovery.stop();
  await within(STEP_MS, Promise.all(served.map(({ consumer }) => consumer.stopClaiming())));
  await within(worker.shutdownTimeoutMs, worker.allEnded());
  for (const { runner } of served) runner.abortAll((jobId) => new ShutdownError({ jobId }));
  const settled = Promise.all(served.map(({ consumer }) => consumer.settled()));
  const isRedisThere = await within(STEP_MS, settled);
  for (const { consumer } of served) consumer.outcomes.giveUpOnReplicas();
  const webhooksSent = within(STEP_MS, worker.webhooks.allSent());
  await within(STEP_MS, worker.leaseKeeper.stop());
  await within(isRedisThere ? STEP_MS : 0, worker.heartbeat.stop());
  worker.stopListening();
  await webhooksSent;
  worker.webhooks.close();
  for (const { consumer, runner } of served) {
    consumer.close();
    runner.close();
  }
}

/** The parts of a worker that stop. */
export interface StoppingWorker {
  readonly starting: Promise<void> | undefined;
  readonly served: readonly {
    readonly consumer: Pick<QueueConsumer, 'stopClaiming' | 'settled' | 'close'> & {
      readonly outcomes: Pick<QueueConsumer['outcomes'], 'giveUpOnReplicas'>;
    };
    readonly runner: Pick<JobRunner, 'abortAll' | 'close'>;
  }[];
  readonly shutdownTimeoutMs: number;
  readonly recovery: Pick<Recovery, 'stop'>;
  readonly leaseKeeper: Pick<LeaseKeeper, 'stop'>;
  readonly heartbeat: Pick<Heartbeat, 'stop'>;
  readonly webhooks: Pick<Webhooks, 'allSent' | 'close'>;
  /** Resolves when no job runs any more. */
  allEnded(): Promise<void>;
  stopListening(): void;
}

/** How long each step waits for Redis, or for webhooks under way, at most. */
const STEP_MS = 2000;
