/**
 * The type-only link between a queue and the classes whose methods run its jobs: `Queue<ImageJobs>` accepts the names
 * of their methods, the type of each one's first parameter, and gives handles of what each returns. Nothing of this
 * exists at run time.
 */

/** What a plain `Queue` is made for: any name, any data. */
// oxlint-disable-next-line typescript/no-explicit-any -- a parameter position: `unknown` would accept no handler's type
export type AnyHandlers = Record<string, (data: any, ...rest: any[]) => unknown>;

/** The names of the jobs: the methods of the handlers' class. */
export type JobName<Handlers> = {
  [Name in keyof Handlers]: Handlers[Name] extends (...parameters: never[]) => unknown
    ? Name
    : never;
}[keyof Handlers] &
  string;

/** The payload of a job: the first parameter of its method. */
export type JobPayload<Handlers, Name extends JobName<Handlers>> = Handlers[Name] extends (
  ...parameters: infer Parameters
) => unknown
  ? Parameters extends []
    ? undefined
    : Parameters[0]
  : never;

/** What a job's method gives, awaited. */
export type JobResult<Handlers, Name extends JobName<Handlers>> = Handlers[Name] extends (
  ...parameters: never[]
) => infer Returned
  ? Settled<Awaited<Returned>>
  : never;

/** What a job without data needs no argument for. */
export type PayloadArguments<Payload, Options> = undefined extends Payload
  ? [data?: Payload, options?: Options]
  : [data: Payload, options?: Options];

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
