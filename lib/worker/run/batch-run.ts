import { BatchResultError } from '../../job/index.js';
import type { BatchedJob } from './batched-job.js';
import { callHandler } from './call-handler.js';
import type { Execution } from './execution.js';
import type { RegisteredHandler } from './handler-registry.js';

/**
 * A handler runs several jobs at once, in one slot of the worker. Each of them has its own lease, timeout and outcome.
 *
 * 1. Each job's data are looked at first, where the handler has pipes: a job whose data are invalid fails, and is not part
 *    of the batch any more.
 * 2. The handler is called, once, with the data of the others and with the jobs.
 * 3. It may decide about jobs as it goes: `job.finish(result)` and `job.fail(error)` settle that one at once.
 * 4. It returns nothing, or a list with a result for each: those that are not decided yet finish. It throws: they fail, and
 *    are tried again as their retry policies say.
 * 5. A job that is canceled or stopped meanwhile, exceeds its timeout, or loses its lease, ends by itself. The others go on.
 * 6. The slot is free when the last of them has ended.
 */
export class BatchRun {
  private readonly all: Execution[] = [];
  private left = 0;

  /** @param name of the jobs */
  constructor(
    private readonly handler: NonNullable<RegisteredHandler['ofBatch']>,
    private readonly name: string,
  ) {}

  get runs(): readonly Execution[] {
    return this.all;
  }

  add(run: Execution): void {
    this.all.push(run);
    this.left += 1;
  }

  /** One has ended. Tells whether it was the last. */
  ended(): boolean {
    this.left -= 1;
    return this.left === 0;
  }

  start(): void {
    for (const run of this.all) run.begin();
    if (this.handler.item) void this.callWithChecked();
    else
      this.call(
        this.all,
        this.all.map(({ job }) => job.data),
      );
  }

  private async callWithChecked(): Promise<void> {
    const data = new Map<Execution, unknown>();
    const looks = this.all.map(
      (run) =>
        new Promise<void>((resolve) => {
          callHandler(() => this.handler.item?.(run.job.data, run.job), {
            succeed: (value) => {
              data.set(run, value);
              resolve();
            },
            fail: (error) => {
              run.fail(error);
              resolve();
            },
          });
        }),
    );
    await Promise.all(looks);
    const runs = this.all.filter((run) => data.has(run) && !run.hasEnded);
    if (runs.length > 0)
      this.call(
        runs,
        runs.map((run) => data.get(run)),
      );
  }

  private call(runs: readonly Execution[], data: readonly unknown[]): void {
    const jobs = runs.map(({ job }) => job as BatchedJob);
    callHandler(() => this.handler.run(data, jobs), {
      succeed: (value) => this.returned(value, runs),
      // Each may go to the head of its lane: the last one first, so that their order stays.
      fail: (error) => runs.toReversed().forEach((run) => run.fail(error)),
    });
  }

  private returned(value: unknown, runs: readonly Execution[]): void {
    if (value === undefined || value === null) {
      for (const run of runs) run.succeed(undefined);
    } else if (Array.isArray(value) && value.length === runs.length) {
      runs.forEach((run, index) => run.succeed((value as unknown[])[index]));
    } else {
      const results = Array.isArray(value) ? value.length : undefined;
      const error = new BatchResultError({ name: this.name, jobs: runs.length, results });
      for (const run of runs) run.failForGood(error, 'its handler returned no result for it');
    }
  }
}
