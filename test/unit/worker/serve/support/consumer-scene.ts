// A consumer with a store that the test plays itself: it sees each exchange, and answers it or fails it when it likes.
// Handlers run until the test ends them.
import { RqConnectionError } from '../../../../../lib/job/index.js';
import type {
  ExchangeReply,
  ExchangeRequest,
  Lease,
  WorkerStore,
} from '../../../../../lib/store/index.js';
import { JobReporter } from '../../../../../lib/worker/report/job-reporter.js';
import { type Handler, HandlerRegistry } from '../../../../../lib/worker/run/handler-registry.js';
import { JobRunner } from '../../../../../lib/worker/run/job-runner.js';
import { PrefetchLimit } from '../../../../../lib/worker/serve/prefetch-limit.js';
import { QueueConsumer } from '../../../../../lib/worker/serve/queue-consumer.js';
import { ParallelSlots, type SlotUser, type Slots } from '../../../../../lib/worker/serve/slots.js';
import { type Deferred, deferred, eventually } from '../../../../support/wait.js';
import { claimedJob } from '../../../support/claimed-job.js';

/** An exchange that waits for the test's answer. */
export class Exchange {
  private readonly reply = deferred<ExchangeReply>();
  /** What comes of it. */
  readonly promise = this.reply.promise;

  constructor(
    readonly request: ExchangeRequest,
    private readonly onEnd: (exchange: Exchange) => void,
  ) {}

  get want(): number {
    return this.request.want;
  }

  /** `id outcome` of each outcome that it takes along. */
  get outcomes(): string[] {
    return this.request.outcomes.map(({ job, outcome }) => `${job.id} ${outcome.type}`);
  }

  /** Brings these jobs (`lane`: out of that one); what is not said is as at an empty queue. */
  async answer(
    ids: readonly string[] = [],
    { lane, ...parts }: Partial<Omit<ExchangeReply, 'claimed'>> & { lane?: string } = {},
  ): Promise<void> {
    this.onEnd(this);
    // The lane stands in the place of the status.
    const fields = { data: '["job",null,[],{}]', ...(lane !== undefined && { status: lane }) };
    const claimed = ids.map((id) => claimedJob(fields, id));
    this.reply.resolve({ ...EMPTY, ...parts, claimed });
    await turns();
  }

  /** @param how `certain`: the request never left; `uncertain`: it may have been carried out */
  async fail(how: 'certain' | 'uncertain'): Promise<void> {
    this.onEnd(this);
    this.reply.reject(
      new RqConnectionError({
        action: 'serve queue "q"',
        reason: new Error('cut'),
        uncertain: how === 'uncertain',
      }),
    );
    await turns();
  }
}

/** What Redis answers when there is nothing to tell. */
export const EMPTY: ExchangeReply = {
  refused: [],
  claimed: [],
  dropped: [],
  nextDue: undefined,
  paused: false,
  more: false,
  now: 0,
  failure: undefined,
  listened: false,
};

/** The blocking read at the queue. */
class Pop {
  current: Deferred<string | undefined> | undefined;
  /** Moves this job while the wait is being interrupted. */
  bringsAtTheEnd: string | undefined;

  wait(): Promise<string | undefined> {
    this.current = deferred<string | undefined>();
    return this.current.promise;
  }

  async interrupt(): Promise<void> {
    this.current?.resolve(this.bringsAtTheEnd);
    this.current = undefined;
    await turns();
  }

  async bring(id: string): Promise<void> {
    this.current?.resolve(id);
    this.current = undefined;
    await turns();
  }

  async endWait(): Promise<void> {
    this.current?.resolve(undefined);
    this.current = undefined;
  }

  async renew(): Promise<void> {}

  restart(): void {}

  close(): void {
    this.current = undefined;
  }
}

/** Counts the slots in use. */
class CountedSlots implements Slots {
  used = 0;
  private readonly slots = new ParallelSlots();

  reserve(queue: SlotUser, most: number): number {
    const count = this.slots.reserve(queue, most);
    this.used += count;
    return count;
  }

  release(queue: SlotUser, count: number): void {
    this.used -= count;
    this.slots.release(queue, count);
  }

  free(queue: SlotUser): number {
    return this.slots.free(queue);
  }

  resize(): void {}
}

export class ConsumerScene {
  /** Exchanges that wait for an answer, the oldest first. */
  readonly underWay: Exchange[] = [];
  /** Searches for orphans that wait for an answer. */
  readonly searches: Deferred<Lease[]>[] = [];
  readonly pop = new Pop();
  readonly slots = new CountedSlots();
  readonly consumer: QueueConsumer;
  readonly runner: JobRunner;
  /** What the observers were told. */
  readonly told: string[] = [];
  private readonly running = new Map<string, Deferred<unknown>>();
  private readonly subscription = deferred();
  private wake: (due: number | undefined) => void = () => undefined;
  exchanges = 0;

  constructor(
    readonly concurrency: number,
    options: { prefetch?: number; handler?: Partial<Handler>; isSlowToStart?: boolean } = {},
  ) {
    if (!options.isSlowToStart) this.subscription.resolve();
    const registry = new HandlerRegistry();
    registry.register({
      queue: 'q',
      name: 'job',
      owner: 'Test.job',
      run: (_, job) => {
        const end = deferred<unknown>();
        this.running.set(job.id, end);
        return end.promise.finally(() => this.running.delete(job.id));
      },
      ...options.handler,
    });
    const reporter = new JobReporter({
      jobLost: ({ jobId }) => this.told.push(`lost ${jobId}`),
      jobDropped: ({ jobId, reason }) => this.told.push(`dropped ${jobId}: ${reason}`),
      jobFinished: ({ jobId }) => this.told.push(`finished ${jobId}`),
      jobCanceled: ({ jobId }) => this.told.push(`canceled ${jobId}`),
      problem: ({ message }) => this.told.push(`problem: ${message}`),
      problemSolved: ({ message }) => this.told.push(`solved: ${message}`),
    });
    const store = this.store();
    this.runner = new JobRunner(
      'q',
      store,
      registry,
      reporter,
      {
        maxPayloadBytes: 1000,
        now: Date.now,
        guarded: { add: () => 0, move: () => undefined, remove: () => undefined },
        unknownJobs: 'fail',
        hearsStarts: () => false,
        began: () => undefined,
        removePrefetched: (matches) => this.consumer.removePrefetched(matches),
      },
      (end) => this.consumer.ended(end),
    );
    this.consumer = new QueueConsumer('q', concurrency, 1, {
      store,
      runner: this.runner,
      reporter,
      slots: this.slots,
      prefetch: new PrefetchLimit(options.prefetch ?? 0, concurrency),
      maxCrashes: 3,
      leaseMs: 15_000,
      workerName: 'w',
      token: 'token',
      clock: () => undefined,
    });
  }

  /** The oldest exchange under way. */
  get exchange(): Exchange {
    const [first] = this.underWay;
    if (!first) throw new Error('No exchange is under way.');
    return first;
  }

  /** The jobs that run, in the order in which they began. */
  get runs(): string[] {
    return [...this.running.keys()];
  }

  async start(): Promise<void> {
    const started = this.consumer.start();
    await turns();
    this.subscription.resolve();
    await started;
    await turns();
  }

  /** Starts, answers the first exchanges with these jobs, and answers until nothing is under way. */
  async startWith(...ids: string[]): Promise<void> {
    await this.start();
    const left = [...ids];
    await this.untilIdle((exchange) =>
      exchange.answer(left.splice(0, exchange.want), { more: left.length > 0 }),
    );
  }

  /** Answers as at an empty queue until nothing is under way any more. */
  answerAll(parts: Parameters<Exchange['answer']>[1] = {}): Promise<void> {
    return this.untilIdle((exchange) => exchange.answer([], parts));
  }

  /** Fails whatever is under way. */
  failAll(how: 'certain' | 'uncertain'): Promise<void> {
    return this.untilIdle((exchange) => exchange.fail(how));
  }

  async finish(id: string): Promise<void> {
    this.running.get(id)?.resolve(undefined);
    await turns();
  }

  /** Somebody says over Redis that a job is due, or (undefined) that the queue was resumed. */
  async hear(due?: number): Promise<void> {
    this.wake(due);
    await turns();
  }

  /** Waits for the end of the back-off: for an exchange, or a search for orphans. */
  async afterBackOff(what: 'exchange' | 'search'): Promise<void> {
    const list = what === 'exchange' ? this.underWay : this.searches;
    await eventually(() => list.length > 0, { what: `the ${what} after the back-off`, every: 2 });
    await turns();
  }

  /** Answers the search with executions of this worker that are in the started registry. */
  async found(...ids: string[]): Promise<void> {
    this.searches.shift()?.resolve(ids.map((id) => ({ id, execution: `e-${id}` })));
    await turns();
  }

  end(): void {
    this.consumer.close();
    this.runner.abortAll(() => new Error('the test is over'));
    this.runner.close();
  }

  private async untilIdle(end: (exchange: Exchange) => Promise<void>): Promise<void> {
    for (let round = 0; this.underWay.length > 0; round += 1) {
      if (round === 100) throw new Error('100 exchanges have ended, and others still follow.');
      await end(this.exchange);
    }
  }

  private store(): WorkerStore {
    const store: Partial<WorkerStore> = {
      maxPayloadBytes: 1000,
      exchange: (_, request) => {
        this.exchanges += 1;
        const exchange = new Exchange(request, (one) =>
          this.underWay.splice(this.underWay.indexOf(one), 1),
        );
        this.underWay.push(exchange);
        return exchange.promise;
      },
      leasesOf: () => {
        const search = deferred<Lease[]>();
        this.searches.push(search);
        return search.promise;
      },
      blockingPop: () => this.pop as unknown as ReturnType<WorkerStore['blockingPop']>,
      onWake: async (_, listener) => {
        await this.subscription.promise;
        this.wake = listener;
        return () => undefined;
      },
    };
    return store as WorkerStore;
  }
}

/** Lets everything happen that is due in this turn of the event loop and in the next ones. */
export async function turns(): Promise<void> {
  for (let turn = 0; turn < 4; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Makes scenes, each of which ends with its test. */
export function scenesOfThisFile(): (
  ...settings: ConstructorParameters<typeof ConsumerScene>
) => ConsumerScene {
  const scenes = new Set<ConsumerScene>();
  afterEach(() => {
    for (const one of scenes) one.end();
    scenes.clear();
  });
  return (...settings) => {
    const one = new ConsumerScene(...settings);
    scenes.add(one);
    return one;
  };
}

/** Slots in use when no exchange is under way. */
export function expectSlotsOfRunsOnly(one: ConsumerScene): void {
  expect(one.underWay).toEqual([]);
  expect(one.slots.used).toBe(one.runner.count);
}
