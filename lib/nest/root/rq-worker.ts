import { ShortForm } from '../../job/index.js';
import type { Worker, WorkerEnd, WorkerFigures, WorkerVitals } from '../../worker/index.js';

/**
 * The worker of this application at run time: `rq.worker()`. It is changed and paused here without a word to others:
 * other processes go on as they were.
 *
 * ```ts
 * rq.worker().setConcurrency(50);
 * await rq.worker().pause(); // before something that needs the machine to itself
 * rq.worker().resume();
 * const why = await rq.worker().done; // with burst, maxJobs or maxIdle
 * ```
 */
export class RqWorker extends ShortForm {
  readonly #worker: Worker;
  readonly #done: Promise<WorkerEnd>;

  /** @param told resolves when the end has been logged */
  constructor(worker: Worker, told: (why: WorkerEnd) => Promise<void>) {
    super();
    this.#worker = worker;
    this.#done = worker.done.then(async (why) => {
      await told(why);
      return why;
    });
  }

  /**
   * Why the worker has ended, once everything is written down: `drained` (`burst`: there was nothing more to do),
   * `maxJobs`, `idle` (`maxIdle`), or `stopped` (the application is closed, or RQ's command came). Never rejects. The
   * application itself goes on: whoever waits for this closes it.
   */
  get done(): Promise<WorkerEnd> {
    return this.#done;
  }

  /** The name under which RQ's tools list it. */
  get name(): string {
    return this.#worker.name;
  }

  /** The queues that it serves. */
  get queues(): readonly string[] {
    return this.#worker.queues;
  }

  /** What it has done since it started; `nestjs-rq/metrics` exports it. */
  figures(): WorkerFigures {
    return this.#worker.figures();
  }

  /** Signs of its life; `RqHealth` makes an answer of them. */
  vitals(): WorkerVitals {
    return this.#worker.vitals();
  }

  /** How many jobs it runs now. */
  get running(): number {
    return this.#worker.running;
  }

  /**
   * From now on so many jobs run at once, as the option `worker.concurrency` says: per queue in `parallel` order (but for
   * queues that were given a number of their own), in all otherwise. Where it is lowered, running jobs go on to their end.
   *
   * @param queue only this one, in `parallel` order
   * @throws InvalidOptionError
   */
  setConcurrency(concurrency: number, queue?: string): void {
    this.#worker.setConcurrency(concurrency, queue);
  }

  /**
   * Takes no more jobs until `resume()`; running ones go on, and what was claimed ahead goes back for others. Resolves
   * when it is back; with Redis away, when Redis is. `queue.pause()` is for all workers of a queue.
   */
  pause(): Promise<void> {
    return this.#worker.pause();
  }

  /** Takes jobs again. */
  resume(): void {
    this.#worker.resume();
  }

  /** What JSON and logs show of it. */
  toJSON(): {
    readonly name: string;
    readonly queues: readonly string[];
    readonly running: number;
  } {
    return this.#worker.toJSON();
  }
}
