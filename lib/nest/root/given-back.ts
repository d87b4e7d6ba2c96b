import type { ExecutionEvent } from '../../worker/index.js';
import type { GivenBack } from '../log-lines.js';

/** Makes one line of all jobs of a queue that a shutdown has cut off. It is told when the worker has stopped. */
export class GivenBackJobs {
  private readonly queues = new Map<string, Counted>();

  constructor(private readonly tell: (given: GivenBack) => void) {}

  add({ queue, name, jobId }: ExecutionEvent): void {
    const counted = this.queues.get(queue) ?? { queue, jobs: [], count: 0 };
    this.queues.set(queue, counted);
    counted.count += 1;
    if (counted.jobs.length < MOST_NAMED) counted.jobs.push({ name, jobId });
  }

  /** Tells what was counted. */
  flush(): void {
    for (const counted of this.queues.values()) this.tell(counted);
    this.queues.clear();
  }
}

interface Counted extends GivenBack {
  readonly jobs: { name: string; jobId: string }[];
  count: number;
}

const MOST_NAMED = 5;
