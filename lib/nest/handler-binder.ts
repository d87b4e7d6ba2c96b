import {
  ContextIdFactory,
  ExternalContextCreator,
  ModuleRef,
  type NestContainer,
} from '@nestjs/core';
import type { ContextId, InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { REQUEST_CONTEXT_ID } from '@nestjs/core/router/request/request-constants.js';
import { InvalidOptionError } from '../job/index.js';
import type { RunningJob } from '../worker/index.js';
import {
  EXCEPTION_FILTERS_METADATA,
  ROUTE_ARGUMENTS_METADATA,
  RQ_CONTEXT_TYPE,
} from './constants.js';
import { inEnqueuersContext } from './enqueuer-context.js';
import { HandlerParameters } from './handler-parameters.js';
import { lastValueOf } from './handler-result.js';
import { type MadeEnhancers, NO_ENHANCERS, configOfJobs } from './job-enhancers.js';
import * as messages from './messages.js';
import type { JobContext } from './options/index.js';

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
  private readonly hasGlobalFilters: boolean;
  private readonly extract: JobContext['extract'];

  /** @throws InvalidOptionError when there are enhancers for all jobs, and this version of Nest keeps us from applying them */
  constructor(
    applicationContexts: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    { globalEnhancers, enhancers = NO_ENHANCERS, extract, where }: BinderSettings,
  ) {
    const container = containerOf(applicationContexts);
    const application = globalEnhancers ? container?.applicationConfig : undefined;
    if (container) {
      // The same container with a configuration in which only that is global which applies to jobs.
      const config = configOfJobs(enhancers, application);
      this.contexts = ExternalContextCreator.fromContainer(
        Object.create(container, { applicationConfig: { value: config } }),
      );
    } else if (Object.values(enhancers).every(({ length }) => length === 0)) {
      this.contexts = applicationContexts;
    } else {
      const problem = messages.enhancersOutOfReach;
      throw new InvalidOptionError({ option: 'enhancers', problem, where });
    }
    this.hasGlobalFilters =
      enhancers.filters.length > 0 ||
      (application?.getGlobalFilters().length ?? 0) > 0 ||
      (application?.getGlobalRequestFilters().length ?? 0) > 0;
    this.extract = extract;
  }

  /** @param wrapper the provider, @param method the name of its method */
  bind(wrapper: InstanceWrapper, method: string): BoundHandler {
    // A transient provider's tree counts as static, but its instance is a placeholder.
    const isShared = wrapper.isDependencyTreeStatic() && !wrapper.isTransient;
    const run = isShared ? this.bindOnce(wrapper, method) : this.bindPerJob(wrapper, method);
    return this.extract ? inEnqueuersContext(run, this.extract) : run;
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

  /** Without any filter, Nest's layer for them stays away: it costs time with each job. */
  private hasFilters(instance: object, callback: object): boolean {
    return (
      this.hasGlobalFilters ||
      Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, instance.constructor) ||
      Reflect.hasMetadata(EXCEPTION_FILTERS_METADATA, callback)
    );
  }
}

export interface BinderSettings {
  /** The application's global guards, interceptors, pipes and filters apply to jobs too. */
  readonly globalEnhancers: boolean;
  /** For all jobs; default: none. */
  readonly enhancers?: MadeEnhancers;
  /** Makes the context of whoever enqueued a job; default: handlers run in none. */
  readonly extract?: JobContext['extract'];
  /** The call of `forRoot`, for errors. */
  readonly where?: string;
}

/** Nest keeps it to itself; without it (a later version may rename it) global enhancers cannot be kept out. */
function containerOf(contexts: ExternalContextCreator): NestContainer | undefined {
  return (contexts as unknown as { container?: NestContainer }).container;
}
