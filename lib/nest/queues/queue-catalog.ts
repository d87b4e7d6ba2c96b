import { isDeepStrictEqual } from 'node:util';
import {
  type DurabilityOptions,
  InvalidOptionError,
  type JobKey,
  type JobOptions,
  type ResolvedDefaults,
  type RqTelemetry,
  assertQueueName,
  keyOfData,
} from '../../job/index.js';
import { type HeaderInjector, Queue } from '../../queue/index.js';
import type { JobStore } from '../../store/index.js';
import { differentOptions } from '../problems.js';
import {
  type RqQueueOptions,
  readQueueOptions,
  readRegisterQueueOptions,
} from '../options/index.js';
import type { QueueRegistration } from './queue-registration.js';

/**
 * The queues of one root: one `Queue` per name, however many modules register it. Those that give it options
 * must agree; those that give none follow.
 */
export class QueueCatalog {
  private readonly queues = new Map<string, Queue>();
  private readonly definitions = new Map<string, { options: RqQueueOptions; where: string }>();
  private readonly expected = new Map<QueueRegistration, Expectation>();
  private handlersKey: ((queue: string, job: string) => JobKey<unknown> | undefined) | undefined;
  private handlersPriority: (queue: string, job: string) => JobOptions['priority'] = () =>
    undefined;

  /**
   * @param registrations all that the container holds for this root
   * @param inject puts headers into each job that is enqueued
   * @param durability of queues that do not say it
   * @throws InvalidOptionError when one is impossible or two contradict each other
   */
  constructor(
    private readonly store: JobStore,
    private readonly rootDefaults: ResolvedDefaults,
    registrations: readonly { registration: QueueRegistration; where: string }[],
    private readonly inject?: HeaderInjector,
    private readonly telemetry?: RqTelemetry,
    private readonly durability?: DurabilityOptions,
  ) {
    for (const { registration, where } of registrations) {
      if (registration.options) {
        const options = readRegisterQueueOptions(registration.options, where);
        this.define(registration.name, options, where);
      } else {
        assertQueueName(registration.name, where);
        this.expected.set(registration, new Expectation(where));
      }
    }
  }

  /** The queue of this name, made at its first use. @throws InvalidOptionError when the name is impossible */
  get(name: string): Queue {
    const existing = this.queues.get(name);
    if (existing) return existing;
    assertQueueName(name, 'RqService.queue');
    const {
      key,
      concurrency: _,
      rateLimit: __,
      hashTag: ___,
      ...ofQueue
    } = this.definitions.get(name)?.options ?? {};
    const queue = new Queue(name, this.store, {
      durability: this.durability,
      ...ofQueue,
      rootDefaults: this.rootDefaults,
      inject: this.injector,
      telemetry: this.telemetry,
      keyOf: (job, data) => this.keyOf(name, job, data, key as JobKey<unknown> | undefined),
      priorityOf: (job) => this.handlersPriority(name, job),
    });
    this.queues.set(name, queue);
    return queue;
  }

  /** The hash tag that a registration gives a queue; undefined: none does. */
  hashTagOf(name: string): string | undefined {
    return this.definitions.get(name)?.options.hashTag;
  }

  /** What the application puts in, wins. */
  private get injector(): HeaderInjector | undefined {
    const { inject, telemetry } = this;
    if (!telemetry) return inject;
    return (headers) => {
      telemetry.inject(headers);
      inject?.(headers);
    };
  }

  /** From now on the handlers of this application say the keys of their jobs when these are enqueued here. */
  knowKeys(keys: (queue: string, job: string) => JobKey<unknown> | undefined): void {
    this.handlersKey = keys;
  }

  /** What the registrations say about limits, by queue. */
  limits(): Map<string, RqQueueOptions> {
    const limited = [...this.definitions].filter(
      ([, { options }]) =>
        options.key ?? options.concurrency ?? options.rateLimit ?? options.maxLength?.retrying,
    );
    return new Map(limited.map(([name, { options }]) => [name, options]));
  }

  /** From now on the handlers of this application say the priorities of jobs that are enqueued here without one. */
  knowPriorities(priorities: (queue: string, job: string) => JobOptions['priority']): void {
    this.handlersPriority = priorities;
  }

  /** How many replicas the queue asks for; undefined or false: none. */
  durabilityOf(queue: string): false | DurabilityOptions | undefined {
    return this.definitions.get(queue)?.options.durability ?? this.durability;
  }

  /** The most replicas that anybody asks for (`durability`), and the queue that does; no queue: the root. */
  mostReplicas(): { readonly replicas: number; readonly queue?: string } {
    let most: { replicas: number; queue?: string } = { replicas: this.durability?.replicas ?? 0 };
    for (const [queue, { options }] of this.definitions) {
      const replicas = options.durability ? options.durability.replicas : 0;
      if (replicas > most.replicas) most = { replicas, queue };
    }
    return most;
  }

  /** All queues that were made so far. */
  all(): Queue[] {
    return [...this.queues.values()];
  }

  /** The queue of a registration, as soon as all that register it have said their options. */
  async registered(registration: QueueRegistration): Promise<Queue> {
    const awaited = [...this.expected].filter(([other]) => other.name === registration.name);
    await Promise.all(awaited.map(([, expectation]) => expectation.fulfilled));
    return this.get(registration.name);
  }

  /** The options of a `registerQueueAsync` have arrived. @throws InvalidOptionError */
  fulfil(registration: QueueRegistration, options: RqQueueOptions): void {
    const expectation = this.expected.get(registration);
    const where = expectation?.where ?? `queue "${registration.name}"`;
    this.define(registration.name, readQueueOptions(options, where), where);
    expectation?.fulfil();
  }

  /** The handler's own key, else the queue's; undefined: nobody here says one. */
  private keyOf(
    queue: string,
    name: string,
    data: unknown,
    ofQueue: JobKey<unknown> | undefined,
  ): string | undefined {
    const key = this.handlersKey?.(queue, name) ?? ofQueue;
    return key && keyOfData(key, data, name, queue);
  }

  private define(name: string, options: RqQueueOptions, where: string): void {
    if (Object.keys(options).length === 0) return;
    const first = this.definitions.get(name);
    if (first && !isDeepStrictEqual(first.options, options)) {
      throw new InvalidOptionError({
        option: differentKey(first.options, options),
        problem: differentOptions(name, first.where),
        where,
      });
    }
    this.definitions.set(name, first ?? { options, where });
  }
}

/** The first option in which two differ. */
function differentKey(one: RqQueueOptions, other: RqQueueOptions): string {
  const keys = [
    ...new Set([...Object.keys(one), ...Object.keys(other)]),
  ] as (keyof RqQueueOptions)[];
  return keys.find((key) => !isDeepStrictEqual(one[key], other[key])) ?? 'options';
}

/** Options that a factory will bring. */
class Expectation {
  readonly fulfilled: Promise<void>;
  fulfil!: () => void;

  constructor(readonly where: string) {
    this.fulfilled = new Promise((resolve) => (this.fulfil = resolve));
  }
}
