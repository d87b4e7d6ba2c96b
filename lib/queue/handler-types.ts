import type { IfFailed, JobEvent, JobOptions, ReturnedRetry } from '../job/index.js';
import type { ScheduleOptions } from '../schedule/index.js';
import type { JsonInput, Jsonified } from './json-types.js';
import type { PreparedJob } from './prepared-job.js';
import type { RqJob } from './rq-job.js';

/**
 * The type-only link between a queue and the classes whose methods run its jobs. `Queue<ImageJobs>` accepts the names
 * of their jobs, and as data what JSON turns into each one's first parameter. It gives handles of what JSON makes of
 * the result. A job is named as its method, or as the class says in `jobNames`. Nothing of this exists at run time.
 */

/** What a plain `Queue` is made for: any name, any data. */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter position: `unknown` would accept no handler's type
export type AnyHandlers = Record<string, (data: any, ...rest: any[]) => unknown>;

/**
 * What a class declares whose jobs are not all named as their methods: which name belongs to which method. `@Job` checks
 * it. `declare readonly jobNames: { 'images.scan': 'scan' }`.
 */
export interface NamesJobs<Names extends object = object> {
  readonly jobNames: Names;
}

/**
 * The names of the jobs: those of the handlers' methods, except where `jobNames` has others for them. Nest's lifecycle
 * hooks are no jobs, nor are methods that hear of jobs or alerts, by the type of their first parameter. Others that are
 * none are left out with `Queue<Omit<ImageJobs, 'helper'>>`; those that are, named: `Queue<Pick<ImageJobs, 'resize'>>`.
 */
export type JobName<Handlers> = (
  Exclude<MethodName<Handlers>, RenamedMethod<Handlers>> | keyof NamesOf<Handlers>
) &
  string;

/** The method that runs the jobs of a name. */
export type JobMethod<
  Handlers,
  Name extends JobName<Handlers>,
> = Name extends keyof NamesOf<Handlers>
  ? NamesOf<Handlers>[Name] extends keyof Handlers
    ? Handlers[NamesOf<Handlers>[Name]]
    : never
  : Name extends keyof Handlers
    ? Handlers[Name]
    : never;

/** What `enqueue` takes for a job: what JSON turns into the first parameter of its method. */
export type JobPayload<Handlers, Name extends JobName<Handlers>> =
  JobMethod<Handlers, Name> extends (...parameters: infer Parameters) => unknown
    ? Parameters extends []
      ? undefined
      : JsonInput<IsBatch<Parameters> extends true ? OneOf<Parameters[0]> : Parameters[0]>
    : never;

/**
 * The data of a batch, for a handler that does not take the list of its jobs: `index(events: Batch<Event>)`. It is a plain
 * list; the name tells `Queue<...>` that a job has one of its elements.
 */
export interface Batch<Data> extends ReadonlyArray<Data> {
  readonly [OF_BATCH]?: true;
}

/** Of the type alone: there is no such property. */
declare const OF_BATCH: unique symbol;

/** What `result()` gives of a job: what JSON makes of what its method returns, awaited; `null` for nothing. */
export type JobResult<Handlers, Name extends JobName<Handlers>> =
  JobMethod<Handlers, Name> extends (...parameters: infer Parameters) => infer Returned
    ? IsBatch<Parameters> extends true
      ? Jsonified<WithoutRetry<OneOf<Settled<Awaited<Returned>>>>>
      : Jsonified<WithoutRetry<Settled<Awaited<Returned>>>>
    : never;

/**
 * What the method declares of the jobs that its job waits for: the third type argument of its `RunningJob`, a list of
 * their results, in the form that JSON gives them. Without it: any jobs, and none.
 */
export type JobParents<Handlers, Name extends JobName<Handlers>> =
  JobMethod<Handlers, Name> extends (...parameters: infer Parameters) => unknown
    ? ParentsAmong<Parameters>
    : AnyParents;

/** The options that `enqueue` takes for a job: of those that declare their parents, `dependsOn` must name just these. */
export type OptionsOfJob<
  Handlers,
  Name extends JobName<Handlers>,
  Omitted extends keyof JobOptions = never,
> =
  IsAny<JobParents<Handlers, Name>> extends true
    ? OptionsWithout<Omitted>
    : AnyParents extends JobParents<Handlers, Name>
      ? OptionsWithout<Omitted>
      : Omit<JobOptions, Omitted | 'dependsOn'> &
          ([] extends JobParents<Handlers, Name>
            ? { readonly dependsOn?: DependsOnThese<JobParents<Handlers, Name>> }
            : { readonly dependsOn: DependsOnThese<JobParents<Handlers, Name>> });

/** Data and options of a job, as `enqueue` takes them: what may be left out is optional. */
export type JobArguments<
  Handlers,
  Name extends JobName<Handlers>,
  Omitted extends keyof JobOptions = never,
> =
  [] extends JobParents<Handlers, Name>
    ? undefined extends JobPayload<Handlers, Name>
      ? [data?: JobPayload<Handlers, Name>, options?: OptionsOfJob<Handlers, Name, Omitted>]
      : [data: JobPayload<Handlers, Name>, options?: OptionsOfJob<Handlers, Name, Omitted>]
    : [data: JobPayload<Handlers, Name>, options: OptionsOfJob<Handlers, Name, Omitted>];

/** Data and options of a schedule's jobs: as `enqueue` takes the data, with options of its own. */
export type ScheduleArguments<Handlers, Name extends JobName<Handlers>> = PayloadArguments<
  JobPayload<Handlers, Name>,
  ScheduleOptions
>;

/** What a job without data needs no argument for; `call` in the options stands in its place. */
type PayloadArguments<Payload, Options> = undefined extends Payload
  ? [data?: Payload, options?: Options]
  : [data: Payload, options?: Options];

/** One job of `enqueueMany`. */
export type ManyItem<Handlers, Name extends JobName<Handlers>> =
  Name extends JobName<Handlers>
    ? {
        readonly name: Name;
      } & (undefined extends JobPayload<Handlers, Name>
        ? { readonly data?: JobPayload<Handlers, Name> }
        : { readonly data: JobPayload<Handlers, Name> }) &
        ([] extends JobParents<Handlers, Name>
          ? { readonly options?: OptionsOfJob<Handlers, Name> }
          : { readonly options: OptionsOfJob<Handlers, Name> })
    : never;

/** A job that another one can wait for, with its result. */
export type ParentJob<Result = unknown> = RqJob<Result> | PreparedJob<Result>;

/** `dependsOn` for parents that are declared: one job for each result, in their order. */
export type DependsOnThese<Parents extends readonly unknown[]> =
  | JobsOfResults<Parents>
  | (Parents extends readonly [infer Only] ? ParentJob<Only> : never)
  | { readonly jobs: JobsOfResults<Parents>; readonly ifFailed?: IfFailed };

type JobsOfResults<Results extends readonly unknown[]> = {
  readonly [Key in keyof Results]: ParentJob<Results[Key]>;
};

type AnyParents = readonly unknown[];

// Mostly nothing is omitted: errors then show `JobOptions`, and not how it was made.
type OptionsWithout<Omitted extends keyof JobOptions> = [Omitted] extends [never]
  ? JobOptions
  : Omit<JobOptions, Omitted>;

/** By the shape of a RunningJob, wherever it stands among the parameters. */
type ParentsAmong<Parameters extends readonly unknown[]> =
  IsAny<Parameters[number]> extends true
    ? AnyParents
    : [ParentsOf<Parameters[number]>] extends [never]
      ? AnyParents
      : ParentsOf<Parameters[number]>;

type ParentsOf<Parameter> =
  IsAny<Parameter> extends true
    ? never
    : Parameter extends { parentResults(): Promise<infer Results extends readonly unknown[]> }
      ? Results
      : never;

type IsAny<Type> = 0 extends 1 & Type ? true : false;

/** The method takes several jobs at once: their data is a `Batch`, or the list of the jobs stands among its parameters. */
type IsBatch<Parameters extends readonly unknown[]> =
  IsAny<Parameters[number]> extends true
    ? false
    : typeof OF_BATCH extends keyof Parameters[0]
      ? true
      : [ListOfJobs<Parameters[number]>] extends [never]
        ? false
        : true;

/** By the shape of a BatchedJob. */
type ListOfJobs<Parameter> = Parameter extends readonly (infer Job)[]
  ? IsAny<Job> extends true
    ? never
    : Job extends { finish(result?: never): void; parentResults(): unknown }
      ? Job
      : never
  : never;

/** What a list holds; of what is none, itself. */
type OneOf<List> = List extends readonly (infer Element)[] ? Element : List;

type MethodName<Handlers> = Exclude<
  {
    [Name in keyof Handlers]: Handlers[Name] extends (...parameters: infer Parameters) => unknown
      ? IsListener<Parameters> extends true
        ? never
        : Name
      : never;
  }[keyof Handlers],
  LifecycleHook
>;

/** It takes what `@OnJob` or `@OnAlert` call their methods with: an event or an alert, by their shape. */
type IsListener<Parameters extends readonly unknown[]> = Parameters extends []
  ? false
  : IsAny<Parameters[0]> extends true
    ? false
    : [Parameters[0]] extends [never]
      ? false
      : [Parameters[0]] extends [JobEvent | AlertShape]
        ? true
        : false;

interface AlertShape {
  readonly rule: string;
  readonly severity: string;
  readonly sentence: string;
  readonly mutedUntil: Date | undefined;
}

type LifecycleHook =
  | 'onModuleInit'
  | 'onApplicationBootstrap'
  | 'onModuleDestroy'
  | 'beforeApplicationShutdown'
  | 'onApplicationShutdown';

type NamesOf<Handlers> = Handlers extends NamesJobs<infer Names> ? Names : unknown;

/** It is known by the names that `jobNames` has for it, which its own may be one of. */
type RenamedMethod<Handlers> = Handlers extends NamesJobs<infer Names> ? Names[keyof Names] : never;

// An Observable's last value, an async iterable's last value: by their shape, rxjs is not needed here.
type Settled<Returned> = Returned extends {
  subscribe(observer: infer _Observer): unknown;
  pipe: unknown;
}
  ? Returned extends { forEach(next: (value: infer Value) => void): Promise<void> }
    ? Value
    : unknown
  : Returned extends AsyncIterable<infer Value>
    ? Value
    : Returned;

/** `return Retry(...)` is no result. */
type WithoutRetry<Returned> = Returned extends ReturnedRetry ? never : Returned;
