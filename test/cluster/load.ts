// Jobs on a cluster under load: who enqueues them all the time, who runs them, and the audit of what became of them.
import { type JobOptions, RqConnectionError } from '../../lib/job/index.js';
import { Queue } from '../../lib/queue/index.js';
import type { ClusterJobStore } from '../../lib/store/index.js';
import {
  HandlerRegistry,
  Worker,
  type WorkerObserver,
  type WorkerOptions,
} from '../../lib/worker/index.js';
import { eventually } from '../support/wait.js';

/** On three masters, these are on all of them. */
export const QUEUES = ['a', 'b', 'c', 'd', 'e', 'f'];

export interface Runs {
  /** How often the handler of each job has run to its end, by the job's id. */
  readonly ran: Map<string, number>;
  /** Jobs whose end Redis has recorded. */
  readonly ended: Set<string>;
  /** Children that ran before the job that they wait for. */
  readonly early: string[];
  readonly problems: string[];
}

export interface Working extends Runs {
  readonly worker: Worker;
}

/** Starts a worker of these queues: its handlers add one, or do what is given. */
export async function work(
  store: ClusterJobStore,
  { queues = QUEUES, handle = addOne, ...options }: WorkSettings = {},
): Promise<Working> {
  const handlers = new HandlerRegistry();
  const runs: Runs = { ran: new Map(), ended: new Set(), early: [], problems: [] };
  const count = (id: string) => void runs.ran.set(id, (runs.ran.get(id) ?? 0) + 1);
  for (const queue of queues) {
    const common = { queue, owner: 'test' };
    handlers.register({
      ...common,
      name: 'add',
      run: async (data, { id }) => {
        const result = await handle(data as { n: number });
        count(id);
        return result;
      },
    });
    handlers.register({
      ...common,
      name: 'after',
      run: (parent, { id }) => {
        if (!runs.ran.has(parent as string)) runs.early.push(id);
        count(id);
      },
    });
  }
  const observer: WorkerObserver = {
    jobFinished: ({ jobId }) => void runs.ended.add(jobId),
    problem: ({ message }) => void runs.problems.push(message),
  };
  const worker = new Worker(store, handlers, { concurrency: 20, lease: 3, ...options }, observer);
  await worker.start();
  return { ...runs, worker };
}

interface WorkSettings extends WorkerOptions {
  readonly queues?: readonly string[];
  readonly handle?: typeof addOne;
}

const addOne = ({ n }: { readonly n: number }): number | Promise<number> => n + 1;

/** Enqueues all the time, into all queues, a job and one that waits for it, and knows what was acknowledged. */
export class Load {
  private readonly acknowledged = new Map<string, string[]>(QUEUES.map((name) => [name, []]));
  isOver = false;
  private readonly running: Promise<unknown>;

  constructor(private readonly store: ClusterJobStore) {
    this.running = Promise.all(QUEUES.map((name) => this.feed(new Queue(name, store))));
  }

  /** So many more jobs of a queue are acknowledged. */
  async done(name: string, count: number): Promise<void> {
    const list = this.acknowledged.get(name) ?? [];
    const from = list.length;
    await eventually(() => list.length >= from + count, {
      what: `${count} jobs of ${name}`,
      timeout: 20_000,
    });
  }

  /** Resolves when nothing is under way any more. */
  async finish(): Promise<void> {
    this.isOver = true;
    await this.running;
  }

  /** Waits until all acknowledged jobs have run; answers how many there were. */
  async allEnded({ ended }: Runs): Promise<number> {
    const ids = [...this.acknowledged.values()].flat();
    try {
      await eventually(() => ids.every((id) => ended.has(id)), {
        what: 'all acknowledged jobs to have run',
        timeout: 30_000,
      });
    } catch (cause) {
      throw new Error(await this.storyOf(ids.filter((id) => !ended.has(id))), { cause });
    }
    return ids.length;
  }

  /**
   * What is not as it must be once all has ended: jobs that ran more than once, children that ran too early, and what is
   * left over in a queue. Empty: all is well.
   */
  async wrong({ ran, early }: Runs): Promise<string[]> {
    const often = [...ran].filter(([, times]) => times > 1);
    const left = await Promise.all(QUEUES.map((name) => this.leftIn(name)));
    return [
      ...often.map(([id, times]) => `${id} ran ${times} times`),
      ...early.map((id) => `${id} ran before its parent`),
      ...left.flat(),
    ];
  }

  /** Where the first of these jobs stand, and their queues. */
  private async storyOf(ids: readonly string[]): Promise<string> {
    const lines = [`${ids.length} acknowledged jobs have not run`];
    for (const [name, acknowledged] of this.acknowledged) {
      const queue = new Queue(name, this.store);
      const own = ids.filter((id) => acknowledged.includes(id));
      if (own.length === 0) continue;
      const statuses = own.slice(0, 5).map(async (id) => (await queue.getJob(id))?.status());
      const are = (await Promise.all(statuses)).map((status) => status ?? 'gone').join(', ');
      lines.push(`${own.length} of ${name}: ${are}; ${JSON.stringify(await queue.counts())}`);
    }
    return lines.join('\n');
  }

  private async leftIn(name: string): Promise<string[]> {
    const queue = new Queue(name, this.store);
    const look = async () => {
      const { finished: _, ...others } = await queue.counts();
      return Object.entries(others).filter(([, count]) => count !== 0);
    };
    const atRest = { what: `queue ${name} to be at rest` };
    await eventually(async () => (await look()).length === 0, atRest).catch(() => undefined);
    return (await look()).map(([place, count]) => `${name}: ${count} jobs are ${place}`);
  }

  private async feed(queue: Queue): Promise<void> {
    while (!this.isOver) {
      const parent = await this.enqueue(queue, 'add', { n: 1 }, {});
      if (parent !== undefined) await this.enqueue(queue, 'after', parent, { dependsOn: parent });
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Until it is acknowledged; a call whose outcome is not known is repeated with the job's id. */
  private async enqueue(
    queue: Queue,
    name: string,
    data: unknown,
    options: JobOptions,
  ): Promise<string | undefined> {
    let id: string | undefined;
    while (!this.isOver) {
      try {
        const job = await queue.enqueue(name, data, {
          ...options,
          ...(id !== undefined && { id }),
        });
        this.acknowledged.get(queue.name)?.push(job.id);
        return job.id;
      } catch (error) {
        if (!(error instanceof RqConnectionError)) throw error;
        [id] = error.jobIds;
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    return undefined;
  }
}
