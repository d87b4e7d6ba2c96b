import type { InjectionToken } from '@nestjs/common';
import { InvalidOptionError, ShortForm, readDurability } from '../../job/index.js';
import {
  type AnyHandlers,
  PreparedJob,
  type Queue,
  ReplicatedEnds,
  RqGroup,
  type RqJob,
  enqueuePrepared,
} from '../../queue/index.js';
import { groupWithoutQueue, noWorker } from '../problems.js';
import type { RqRoot } from './rq-root.js';
import type { RqWorker } from './rq-worker.js';
import { DEFAULT_ROOT } from '../tokens.js';

/**
 * The queues of one Redis at run time. It gives queues whose names are known only then, and what an operator does with
 * a queue. Injected by its class for the root without a name, by `@InjectRqService('reports')` for another.
 */
export class RqService extends ShortForm {
  readonly #root: RqRoot;
  /** What replicas have of groups, if they are to: how patient it is with them is not forgotten between two waits. */
  #replicated: ReplicatedEnds | undefined;

  constructor(root: RqRoot) {
    super();
    this.#root = root;
  }

  /**
   * A queue by its name; the registered one if there is one. It costs no connection and need not be closed.
   *
   * @throws InvalidOptionError when no queue can have this name
   */
  queue<Handlers = AnyHandlers>(name: string): Queue<Handlers> {
    return this.#root.queues.get(name) as Queue<Handlers>;
  }

  /**
   * Enqueues prepared jobs, at most 1000, of any queues, in one step: all of them or none. They may wait for each other;
   * each must stand behind those that it waits for.
   *
   * ```ts
   * const resize = images.prepare('resize', { path });
   * const notify = mail.prepare('notify', { to }, { dependsOn: resize });
   * const [image] = await rq.enqueueMany([resize, notify]);
   * ```
   *
   * @throws InvalidOptionError naming the job by its place, for example one that was enqueued before
   * @throws DuplicateJobError when an id is taken: a `unique` one, or one that another job of the call waits for
   * @throws RqConnectionError; when it is `uncertain`, repeat the call with the same prepared jobs
   */
  async enqueueMany<const Jobs extends readonly PreparedJob[]>(
    jobs: Jobs,
  ): Promise<{ -readonly [Key in keyof Jobs]: ReturnType<Jobs[Key]['handle']> }> {
    const { store, options } = this.#root;
    const enqueue = () => enqueuePrepared(store, jobs, 'enqueueMany');
    const [first] = Array.isArray(jobs) ? jobs : [];
    const handles: readonly RqJob[] = await (options.telemetry && first instanceof PreparedJob
      ? options.telemetry.enqueue(
          { queue: first.queue, name: first.name, count: jobs.length },
          enqueue,
        )
      : enqueue());
    return handles as { -readonly [Key in keyof Jobs]: ReturnType<Jobs[Key]['handle']> };
  }

  /**
   * The jobs that were enqueued with the same `group`, of any queues: how far they are, and what is done to all of them.
   *
   * ```ts
   * const { total, pending, failed } = await rq.group('import-42').status();
   * ```
   *
   * @throws InvalidOptionError when no group can have this name, or in the cluster layout: there `queue.group(name)` has them
   */
  group(name: string): RqGroup {
    const { store } = this.#root;
    if (store.forQueue) {
      const problem = groupWithoutQueue(name);
      throw new InvalidOptionError({ option: 'group', problem, where: 'RqService.group' });
    }
    const durability = readDurability(this.#root.options.durability, 'durability', undefined);
    if (durability) this.#replicated ??= new ReplicatedEnds(store, durability);
    return new RqGroup(name, store, this.#replicated);
  }

  /**
   * The worker of this application, from the end of its start on (`app.init()`, `createApplicationContext`).
   *
   * @throws InvalidOptionError when there is none: not yet, without a handler, or with `worker: false`
   */
  worker(): RqWorker {
    const { worker, options, name } = this.#root;
    if (worker) return worker;
    const problem = noWorker(name, options.worker === false);
    throw new InvalidOptionError({ option: 'worker', problem, where: 'RqService.worker' });
  }

  /** The names of all queues that anybody has put a job into, Python's too. @throws RqConnectionError */
  names(): Promise<string[]> {
    return this.#root.store.queues();
  }

  /** The queues that this application has registered, handles or asked for by name. */
  queues(): Queue[] {
    return this.#root.queues.all();
  }

  /**
   * No worker of any application starts another job of this queue (Python's workers know only `rq suspend`); those
   * that run go on, and jobs can be enqueued.
   *
   * @throws RqConnectionError
   */
  async pause(name: string): Promise<void> {
    await this.queue(name).pause();
  }

  /** Workers take jobs of this queue again. @throws RqConnectionError */
  async resume(name: string): Promise<void> {
    await this.queue(name).resume();
  }

  /** What JSON and logs show of it: the root's name. */
  toJSON(): { readonly root: string } {
    return { root: this.#root.name };
  }
}

/**
 * The token under which a root's `RqService` is injected: the class itself for the root without a name.
 *
 * @param root the `name` given to `RqModule.forRoot`
 */
export function getRqServiceToken(root: string = DEFAULT_ROOT): InjectionToken<RqService> {
  return root === DEFAULT_ROOT ? RqService : `RqService:${root}`;
}
