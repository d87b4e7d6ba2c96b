import {
  type ApplicationConfig,
  ExternalContextCreator,
  ModuleRef,
  type NestContainer,
} from '@nestjs/core';
import type { ContextId, InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import type { Module } from '@nestjs/core/injector/module.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';

/**
 * All that is used of Nest's private side. A later version may differ there; this is the one place to mend it then.
 * Nest 12 alone exports the keys of its metadata, so that they are written out here; the values are the same in Nest 11
 * and 12.
 */

export { type ContextId, type InstanceWrapper, REQUEST_CONTEXT_ID };

/** A module as Nest's container keeps it. */
export type ContainerModule = Module;

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

/** Where we say that a method's arguments are handed on as they are: no pipe acts on them. */
export const LISTED_ARGUMENTS_METADATA = 'nestjs-rq:listed-arguments';

/** Where we say which parameter of a method takes the data of one job, of a method that takes those of several. */
export const ITEM_ARGUMENTS_METADATA = 'nestjs-rq:item-arguments';

/** TypeScript's: the types of a method's parameters. */
export const PARAMETER_TYPES_METADATA = 'design:paramtypes';

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

/** The application's global enhancers. `undefined`: this version of Nest keeps its container to itself. */
export function configOf(application: ExternalContextCreator): ApplicationConfig | undefined {
  return containerOf(application)?.applicationConfig;
}

/**
 * How to make a creator of execution contexts for which this configuration is the application's, and that waits for
 * what handlers return in this way. `undefined`: this version of Nest keeps its container to itself.
 */
export function contextCreators(
  application: ExternalContextCreator,
  config: ApplicationConfig,
): ((wait: (returned: unknown) => Promise<unknown>) => ExternalContextCreator) | undefined {
  const container = containerOf(application);
  if (!container) return undefined;
  const ours = Object.create(container, { applicationConfig: { value: config } }) as NestContainer;
  return (wait) =>
    Object.assign(ExternalContextCreator.fromContainer(ours), { transformToResult: wait });
}

function containerOf(contexts: ExternalContextCreator): NestContainer | undefined {
  return (contexts as unknown as { container?: NestContainer }).container;
}

/** One instance serves all. A transient provider's tree counts as static, too, but its instance is a placeholder. */
export function hasSharedInstance(wrapper: InstanceWrapper): boolean {
  return wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
}

/** How to make this very provider for a request; those of other modules may share its token. */
export function resolverOf(wrapper: InstanceWrapper): (contextId: ContextId) => Promise<object> {
  const host = moduleRefOf(wrapper.host!);
  return (contextId) => host.resolve(wrapper.token as string, contextId, { strict: true });
}

/** The module's own `ModuleRef`. */
export function moduleRefOf(module: ContainerModule): ModuleRef {
  return module.getProviderByKey<ModuleRef>(ModuleRef).instance;
}

/**
 * The prototype of a provider's class. What a factory made or a value is shows on the instance only; of a provider that
 * lives for one request there is a placeholder, whose prototype is the class's.
 */
export function prototypeOf(wrapper: InstanceWrapper): Record<string, unknown> | undefined {
  const { instance, metatype } = wrapper;
  const isMade = Boolean(wrapper.inject) || wrapper.isNotMetatype;
  const prototype: object | null | undefined =
    typeof instance === 'object' && instance !== null
      ? Object.getPrototypeOf(instance)
      : isMade
        ? undefined
        : metatype?.prototype;
  return prototype && prototype !== Object.prototype
    ? (prototype as Record<string, unknown>)
    : undefined;
}

/** What `@Module({ imports })` says: Nest makes every module import the global ones, too. */
export function ownImports({ metatype }: ContainerModule): readonly unknown[] {
  return (Reflect.getMetadata('imports', metatype) as unknown[] | undefined) ?? [];
}
