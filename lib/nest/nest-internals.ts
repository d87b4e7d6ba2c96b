/**
 * The few words by which Nest and we know each other: what an execution context calls itself inside a job,
 * and under which keys Nest keeps the metadata of methods. Nest 12 alone exports these keys, so that they
 * are written out here; the values are the same in Nest 11 and 12.
 */

/** What `ExecutionContext#getType()` says inside a job handler. */
export const RQ_CONTEXT_TYPE = 'rq' as const;

/** Nest's ROUTE_ARGS_METADATA: shared with `createParamDecorator` and the decorators of microservices. */
export const ROUTE_ARGUMENTS_METADATA = '__routeArguments__';

/** Nest's mark for classes that take part in global request-scoped enhancers, as controllers do. */
export const ENTRY_PROVIDER_WATERMARK = '__entryProvider__';

/** Where `@UseGuards` leaves its guards. */
export const GUARDS_METADATA = '__guards__';

/** Where `@UseInterceptors` leaves its interceptors. */
export const INTERCEPTORS_METADATA = '__interceptors__';

/** Where `@UsePipes` leaves its pipes. */
export const PIPES_METADATA = '__pipes__';

/** Where we say which parameters a method has that does not say it itself by decorators: the data, then the job. */
export const PLAIN_ARGUMENTS_METADATA = 'nestjs-rq:plain-arguments';

/** Where `@UseFilters` leaves its filters. */
export const EXCEPTION_FILTERS_METADATA = '__exceptionFilters__';

/** Where the four kinds of enhancers are left. */
export const ENHANCER_KEYS: readonly string[] = [
  GUARDS_METADATA,
  INTERCEPTORS_METADATA,
  PIPES_METADATA,
  EXCEPTION_FILTERS_METADATA,
];

/**
 * Kinds of parameters, by Nest's own numbers: they decide as what a pipe sees the value. With a number of
 * our own, `ValidationPipe` would take each parameter for a custom one and silently check nothing.
 */
export enum RqParameterType {
  /** As `@Body()` and `@Payload()`: pipes act. */
  DATA = 3,
  /** As `@Ctx()`: pipes see `custom`, and leave it alone. */
  JOB = 6,
}
