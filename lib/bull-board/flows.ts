import type { BoardJob } from './board-job.js';

/** A job and the jobs that it waits for: BullMQ's parent and its children. */
export interface Flow {
  readonly job: BoardJob;
  readonly children: Flow[];
}

/** What part of it is asked for. */
export interface FlowWindow {
  readonly id: string;
  readonly depth: number;
  readonly maxChildren: number;
}

/**
 * Answers bull-board where it would ask BullMQ's FlowProducer: "Job flow" shows what a job waits for, level by level. It
 * shows some hundred jobs at most, and each once where it is met first: jobs may wait for the same ones.
 */
export class Flows {
  readonly #read: (id: string) => Promise<BoardJob | undefined>;

  constructor(read: (id: string) => Promise<BoardJob | undefined>) {
    this.#read = read;
  }

  async getFlow({ id, depth, maxChildren }: FlowWindow): Promise<Flow | undefined> {
    const job = await this.#read(id);
    if (!job) return undefined;
    const root: Flow = { job, children: [] };
    const met = new Set([id]);
    let level = [root];
    for (let below = 1; below < depth && level.length > 0; below += 1) {
      const wanted = level.flatMap((flow) =>
        flow.job.waitsFor.slice(0, maxChildren).map((parent) => ({ flow, parent })),
      );
      const fresh = wanted.filter(
        ({ parent }) => met.size < MOST_JOBS && met.size !== met.add(parent).size,
      );
      const found = await Promise.all(
        fresh.map(async ({ flow, parent }) => ({ flow, job: await this.#read(parent) })),
      );
      level = found.flatMap(({ flow, job: child }) => {
        if (!child) return [];
        const node: Flow = { job: child, children: [] };
        flow.children.push(node);
        return [node];
      });
    }
    return root;
  }
}

const MOST_JOBS = 300;
