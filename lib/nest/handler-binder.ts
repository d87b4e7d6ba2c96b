import {
  ApplicationConfig,
  ContextIdFactory,
  ExternalContextCreator,
  ModuleRef,
  type NestContainer,
} from '@nestjs/core';
import type { ContextId, InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import type { RunningJob } from '../worker/index.js';
import {
  EXCEPTION_FILTERS_METADATA,
  ROUTE_ARGUMENTS_METADATA,
  RQ_CONTEXT_TYPE,
} from './constants.js';
import { HandlerParameters } from './handler-parameters.js';
import { lastValueOf } from './handler-result.js';

/** Runs one job by a provider's method, as Nest would run a request by a controller's. */
export type BoundHandler = (data: unknown, job: RunningJob) => Promise<unknown>;

/**
 * Binds handlers through Nest's own execution context, so that guards, interceptors, pipes, filters and
 * parameter decorators work in a job as anywhere else. A handler of an ordinary provider is bound once; one
 * of a provider that lives for one request is made anew for each job, which then is the request.
 */
export class HandlerBinder {
  private readonly parameters = new HandlerParameters();
  private readonly contexts: ExternalContextCreator;
  private readonly config: ApplicationConfig | undefined;

  /** @param globalEnhancers whether the application's global guards, interceptors, pipes and filters apply */
  constructor(
    applicationContexts: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    globalEnhancers: boolean,
  ) {
    const container = containerOf(applicationContexts);
    if (globalEnhancers || !container) {
      this.contexts = applicationContexts;
      this.config = container?.applicationConfig;
    } else {
      // The same container with a configuration in which nothing is global.
      const config = new ApplicationConfig();
      this.config = config;
      this.contexts = ExternalContextCreator.fromContainer(
        Object.create(container, { applicationConfig: { value: config } }),
      );
    }
  }

  /** @param wrapper the provider, @param method the name of its method */
  bind(wrapper: InstanceWrapper, method: string): BoundHandler {
    // A transient provider's tree counts as static, but its instance is a placeholder.
    return wrapper.isDependencyTreeStatic() && !wrapper.isTransient
      ? this.bindOnce(wrapper, method)
      : this.bindPerJob(wrapper, method);
  }

  private bindOnce(wrapper: InstanceWrapper, method: string): BoundHandler {
    const run = this.contextFor(wrapper.instance, method);
    return (data, job) => lastValueOf(run(data, job), job);
  }

  private bindPerJob(wrapper: InstanceWrapper, method: string): BoundHandler {
    // The host module's own ModuleRef finds this very provider, also when others share its token.
    const host: ModuleRef = wrapper.host!.getProviderByKey<ModuleRef>(ModuleRef).instance;
    return async (data, job) => {
      const contextId = this.contextIdOf(job, wrapper.isDependencyTreeDurable());
      const instance: object = await host.resolve(wrapper.token as string, contextId, {
        strict: true,
      });
      const run = this.contextFor(instance, method, contextId, wrapper.id);
      return lastValueOf(run(data, job), job);
    };
  }

  /** The job is the request: providers get it by `@Inject(REQUEST)`, durable ones the payload of their strategy. */
  private contextIdOf(job: RunningJob, isDurable: boolean): ContextId {
    const contextId = ContextIdFactory.getByRequest(job);
    if (!(REQUEST_CONTEXT_ID in job)) {
      Object.defineProperty(job, REQUEST_CONTEXT_ID, { value: contextId });
      const request = isDurable ? contextId.payload : job;
      this.moduleRef.registerRequestByContextId(request, contextId);
    }
    return contextId;
  }

  private contextFor(
    instance: object,
    method: string,
    contextId?: ContextId,
    inquirerId?: string,
  ): BoundHandler {
    // The very function that carries the metadata; Nest calls it on the instance.
    const callback = (instance as Record<string, (...args: unknown[]) => unknown>)[method]!;
    return this.contexts.create(
      instance,
      callback,
      method,
      ROUTE_ARGUMENTS_METADATA,
      this.parameters,
      contextId,
      inquirerId,
      { guards: true, interceptors: true, filters: this.hasFilters(instance, callback) },
      RQ_CONTEXT_TYPE,
    );
  }

  /** Without any filter, Nest's layer for them stays away: it would log each failure a second time. */
  private hasFilters(instance: object, callback: object): boolean {
    return (
      (this.config?.getGlobalFilters().length ?? 0) > 0 ||
      (this.config?.getGlobalRequestFilters().length ?? 0) > 0 ||
      Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, instance.constructor) ||
      Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, callback)
    );
  }
}

/** Nest keeps it to itself; without it (a later version may rename it) global enhancers cannot be kept out. */
function containerOf(contexts: ExternalContextCreator): NestContainer | undefined {
  return (contexts as unknown as { container?: NestContainer }).container;
}
