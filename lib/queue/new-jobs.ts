import {
  type Durability,
  InvalidOptionError,
  type JobOptions,
  type ResolvedDefaults,
  type ResolvedJobOptions,
  type RoomRule,
  assertJobName,
  resolveJobOptions,
} from '../job/index.js';
import type { NewJob } from '../store/index.js';
import {
  type JobCall,
  assertSize,
  encodeCall,
  encodeLane,
  encodePayload,
  toJson,
} from '../wire/index.js';
import { type HeaderInjector, withInjectedHeaders } from './job-headers.js';
import { newJobId } from './job-id.js';

/**
 * Makes the jobs of one queue out of what the callers of enqueue give: everything is checked, written as JSON and filled
 * up with defaults here, before anything is sent.
 *
 * All methods throw InvalidOptionError, UnserializableDataError or PayloadTooLargeError.
 */
export class NewJobs {
  private readonly knownNames = new Set<string>();

  /**
   * @param maxPayloadBytes the most bytes that data and meta may have
   */
  constructor(
    private readonly queue: string,
    private readonly maxPayloadBytes: number,
    private readonly defaults: ResolvedDefaults,
    private readonly inject: HeaderInjector | undefined,
    private readonly rules: NewJobRules = {},
  ) {}

  /** @param item which one of several it is, for errors: `jobs[3]: ` */
  withData(name: string, data: unknown, options: JobOptions | undefined, item = ''): NewJob {
    const job = this.make(name, encodePayload(this.queue, this.named(name), data), options, item);
    const key = job.options.key ?? this.rules.keyOf?.(name, data);
    if (key === undefined) return job;
    if (job.options.level === 'low')
      throw lowInLane(`${item}enqueue("${name}") on queue "${this.queue}"`);
    return { ...job, lane: encodeLane(name, key) };
  }

  /** A call for a Python worker. */
  withCall(
    func: string,
    args: readonly unknown[],
    kwargs: Readonly<Record<string, unknown>>,
    options: JobOptions | undefined,
  ): NewJob {
    const data = encodeCall(this.queue, { name: this.named(func), args, kwargs });
    if (options?.key !== undefined) {
      throw keyForPython(`enqueueCall("${func}") on queue "${this.queue}"`);
    }
    return this.make(func, data, options, '');
  }

  /**
   * What all jobs of a schedule are: that of one that is enqueued now, without its id.
   * @param call positional and keyword arguments in place of the data
   * @param options.carries the context of the caller travels with the jobs
   */
  ofSchedule(
    name: string,
    data: unknown,
    call: Pick<JobCall, 'args' | 'kwargs'> | undefined,
    options: { job: JobOptions | undefined; carries: boolean; where: string },
  ): Omit<NewJob, 'id' | 'check'> {
    const { queue } = this;
    assertJobName(name, options.where);
    const text = call ? encodeCall(queue, { name, ...call }) : encodePayload(queue, name, data);
    const resolved = resolveJobOptions(options.job ?? {}, this.defaults, options.where);
    if (call && resolved.key !== undefined) throw keyForPython(options.where);
    const meta = this.metaOf(name, resolved, options.carries ? this.inject : undefined);
    assertSize(text, `data of job "${name}"`, this.maxPayloadBytes);
    return { queue, data: text, options: resolved, meta };
  }

  private make(name: string, data: string, options: JobOptions | undefined, item: string): NewJob {
    const { queue, maxPayloadBytes } = this;
    const resolved = this.resolve(name, options, item);
    assertSize(data, `data of job "${name}"`, maxPayloadBytes);
    const meta = this.metaOf(name, resolved, this.inject);
    const { id, waitsFor } = resolved;
    const check = id === undefined ? 'new' : resolved.unique === true ? 'unique' : 'once';
    const { room, durability } = this.rules;
    return {
      queue,
      id: id ?? newJobId(),
      check,
      data,
      options: resolved,
      meta,
      waitsFor,
      room,
      durability,
    };
  }

  private metaOf(
    name: string,
    { meta }: ResolvedJobOptions,
    inject: HeaderInjector | undefined,
  ): string | undefined {
    const own = inject ? withInjectedHeaders(meta, inject) : meta;
    if (!own || Object.keys(own).length === 0) return undefined;
    const text = toJson(own, { queue: this.queue, name, what: 'meta' });
    assertSize(text, `meta of job "${name}"`, this.maxPayloadBytes);
    return text;
  }

  private resolve(name: string, options: JobOptions | undefined, item: string): ResolvedJobOptions {
    if (options?.priority === undefined) {
      const priority = this.rules.priorityOf?.(name);
      if (priority !== undefined && priority !== 'normal') {
        return this.resolve(name, { ...options, priority }, item);
      }
    }
    if (options === undefined) return this.defaults.plainJob;
    const where = `${item}enqueue("${name}") on queue "${this.queue}"`;
    return resolveJobOptions(options, this.defaults, where);
  }

  private named(name: unknown): string {
    if (typeof name === 'string' && this.knownNames.has(name)) return name;
    assertJobName(name, `enqueue on queue "${this.queue}"`);
    if (this.knownNames.size < 1000) this.knownNames.add(name);
    return name;
  }
}

/** A job that waits in a lane has no level of its own. @param where the call */
export function lowInLane(where: string): InvalidOptionError {
  const problem =
    "cannot be 'low' where jobs wait in lanes, by their keys or behind the limits of their handler: lanes take turns " +
    "('high' puts a job at the head of its lane)";
  return new InvalidOptionError({ option: 'priority', problem, where });
}

function keyForPython(where: string): InvalidOptionError {
  const problem = "has no meaning for Python's workers, which run this call";
  return new InvalidOptionError({ option: 'key', problem, where });
}

/** The key of a job, as far as it is known here; undefined: it is not. */
export type KeyOf = (name: string, data: unknown) => string | undefined;

/** What holds for jobs that calls of enqueue bring, and not for those of schedules. */
export interface NewJobRules {
  /** How many jobs the queue may hold. */
  readonly room?: RoomRule;
  /** How many replicas must have them. */
  readonly durability?: Durability;
  /** Its key. */
  readonly keyOf?: KeyOf;
  /** The priority of a job that brings none. */
  priorityOf?(name: string): JobOptions['priority'];
}
