import type { Type } from '@nestjs/common';
import { ContextIdFactory, type ExternalContextCreator, type ModuleRef } from '@nestjs/core';
import { InvalidOptionError } from '../../job/index.js';
import type { RqJob } from '../../queue/index.js';
import { methodOf } from '../discovery/method-marks.js';
import type { BoundBatchHandler, BoundHandler } from './bound-handler.js';
import {
  ENHANCER_KEYS,
  EXCEPTION_FILTERS_METADATA,
  ITEM_ARGUMENTS_METADATA,
  LISTED_ARGUMENTS_METADATA,
  PIPES_METADATA,
  PLAIN_ARGUMENTS_METADATA,
  REQUEST_CONTEXT_ID,
  ROUTE_ARGUMENTS_METADATA,
  RQ_CONTEXT_TYPE,
  RqParameterType,
  configOf,
  contextCreators,
  hasSharedInstance,
  resolverOf,
  type ContextId,
  type InstanceWrapper,
} from '../nest-internals.js';
import { assertListed, itemArguments, itemLook } from './batch-parameters.js';
import { currentJob, tellingCurrentJob } from './current-job.js';
import { inEnqueuersContext, inEnqueuersContextOfBatch } from './enqueuer-context.js';
import { HandlerParameters } from './handler-parameters.js';
import { lastValueOf } from './handler-values.js';
import { type MadeEnhancers, NO_ENHANCERS, configOfJobs, kindsIn } from './root-enhancers.js';
import * as problems from '../problems.js';
import type { JobContext } from '../options/index.js';

/**
 * Applies guards, interceptors, pipes, filters and parameter decorators to handlers, as Nest applies them in
 * controllers.
 *
 * 1. At the start each handler is bound: Nest makes one function of the method and all that applies to it. A method to
 *    which nothing applies is called as it is.
 * 2. A job comes: the function is called with the job's data and the job. To Nest the job is the request.
 * 3. What the function returns is awaited. Of an Observable or an async generator this is the last value.
 *
 * These are the guards and so on of the method and its class, and those of `forRoot({ enhancers })`. The application's
 * global ones apply with `globalEnhancers` only.
 *
 * When its provider is request-scoped, the provider is made and the handler is bound for each job.
 *
 * For example a guard that returns false: Nest throws ForbiddenException, the method does not run, the attempt fails and
 * is retried as any other.
 */
export class HandlerBinder {
  private readonly parameters = new HandlerParameters();
  /** Makes a creator of execution contexts that waits for what handlers return in this way. */
  private readonly contextsWith: (
    wait: (returned: unknown) => Promise<unknown>,
  ) => ExternalContextCreator;
  /** Of which kinds of enhancers some apply to every job; undefined: nobody knows. */
  private readonly forAll: ReadonlySet<keyof MadeEnhancers> | undefined;

  /** @throws InvalidOptionError when there are enhancers for all jobs, and this version of Nest keeps us from applying them */
  constructor(
    applicationContexts: ExternalContextCreator,
    private readonly moduleRef: ModuleRef,
    private readonly settings: BinderSettings,
  ) {
    const { globalEnhancers, enhancers = NO_ENHANCERS, where } = settings;
    // A configuration in which only that is global which applies to jobs.
    const application = globalEnhancers ? configOf(applicationContexts) : undefined;
    const config = configOfJobs(enhancers, application);
    const contextsWith = contextCreators(applicationContexts, config);
    if (contextsWith) {
      this.forAll = kindsIn(config);
      this.contextsWith = contextsWith;
    } else if (Object.values(enhancers).every(({ length }) => length === 0)) {
      this.contextsWith = () => applicationContexts;
    } else {
      const problem = problems.enhancersOutOfReach;
      throw new InvalidOptionError({ option: 'enhancers', problem, where });
    }
  }

  /**
   * @param wrapper the provider
   * @param method the name of its method
   * @param reportsProgress each value of an Observable or a generator is told as progress
   */
  bind(wrapper: InstanceWrapper, method: string, reportsProgress = false): BoundHandler {
    const { extract, tellsCurrentJob } = this.settings;
    const hasFilters = this.hasFilters(wrapper, method);
    // A filter must see also what goes wrong while the values come, so Nest waits for them: for the job that runs then.
    const contexts = this.contextsWith(
      hasFilters ? (returned) => lastValueOf(returned, currentJob(), reportsProgress) : untouched,
    );
    const call = this.caller(contexts, wrapper, method, hasFilters);
    const wait: BoundHandler = (data, job) => lastValueOf(call(data, job), job, reportsProgress);
    const run = extract ? inEnqueuersContext(wait, extract) : wait;
    return tellsCurrentJob || hasFilters ? tellingCurrentJob(run) : run;
  }

  /**
   * As `bind`, for a method that takes several jobs at once. It is called with lists, of the data and of the jobs: guards,
   * interceptors and filters see the batch. Pipes see the data of each job by itself, as those of this class.
   *
   * @throws InvalidOptionError when its parameters are decorated in a way that has no meaning for lists
   */
  bindBatch(
    wrapper: InstanceWrapper,
    method: string,
    items: Type | undefined,
    where: string,
  ): BoundBatchHandler {
    assertListed(wrapper.instance as object, method, where);
    const hasFilters = this.hasFilters(wrapper, method);
    const wait = (returned: unknown) => lastValueOf(returned, undefined);
    const contexts = this.contextsWith(hasFilters ? wait : untouched);
    const call = this.caller(contexts, wrapper, method, hasFilters, LISTED_ARGUMENTS_METADATA);
    const { extract, tellsCurrentJob } = this.settings;
    const pipes = this.itemBinding(wrapper, method, items);
    const look = pipes && extract ? inEnqueuersContext(pipes, extract) : pipes;
    const item = look && tellsCurrentJob ? tellingCurrentJob(look) : look;
    const run: BoundBatchHandler['run'] = (data, jobs) => wait(call(data, jobs));
    return { run: extract ? inEnqueuersContextOfBatch(run, extract) : run, item };
  }

  /** As `bind`, for a method that hears of jobs: it gets an event, and the handle of the job. */
  bindListener(wrapper: InstanceWrapper, method: string): Call {
    const wait = (returned: unknown) => lastValueOf(returned, undefined);
    const contexts = this.contextsWith(wait);
    const call = this.caller(contexts, wrapper, method, this.hasFilters(wrapper, method));
    return (event, job) => wait(call(event, job));
  }

  private caller(
    contexts: ExternalContextCreator,
    wrapper: InstanceWrapper,
    method: string,
    filters: boolean,
    argumentsKey?: string,
  ): Call {
    const isBare = this.isBare(wrapper, method);
    const create = (instance: object, contextId?: ContextId, inquirerId?: string): Call => {
      if (isBare) return bareCall(instance, method);
      return contexts.create(
        instance,
        // The very function that carries the metadata; Nest calls it on the instance.
        methodOf(instance, method),
        method,
        argumentsKey ?? this.argumentsKey(instance, method),
        this.parameters,
        contextId,
        inquirerId,
        { guards: true, interceptors: true, filters },
        RQ_CONTEXT_TYPE,
      );
    };
    return hasSharedInstance(wrapper) ? create(wrapper.instance) : this.callPerJob(wrapper, create);
  }

  /** Only the pipes of a method, for the data of one job. Nest finds them by its class, and by what stands on the function. */
  private itemBinding(
    wrapper: InstanceWrapper,
    method: string,
    items: Type | undefined,
  ): BoundHandler | undefined {
    const instance = wrapper.instance as object;
    const parameter = itemArguments(instance, method);
    const hasPipes =
      !this.forAll || this.forAll.has('pipes') || isMarked(PIPES_METADATA, instance, method);
    if (!hasPipes && parameter.pipes.length === 0) return undefined;
    const contexts = this.contextsWith(untouched);
    const { holder, look, name } = itemLook(instance, method, items);
    Reflect.defineMetadata(
      ITEM_ARGUMENTS_METADATA,
      { [`${RqParameterType.DATA}:0`]: parameter },
      instance.constructor,
      name,
    );
    const create = (contextId?: ContextId): Call =>
      contexts.create(
        holder,
        look,
        name,
        ITEM_ARGUMENTS_METADATA,
        this.parameters,
        contextId,
        contextId && wrapper.id,
        { guards: false, interceptors: false, filters: false },
        RQ_CONTEXT_TYPE,
      );
    if (hasSharedInstance(wrapper)) return create();
    const isDurable = wrapper.isDependencyTreeDurable();
    return async (data, job) => create(this.contextIdOf(job, isDurable))(data, job);
  }

  private callPerJob(
    wrapper: InstanceWrapper,
    create: (instance: object, contextId: ContextId, inquirerId: string) => Call,
  ): Call {
    const resolve = resolverOf(wrapper);
    return async (data, job) => {
      const request = job ?? (data as object);
      const contextId = this.contextIdOf(request, wrapper.isDependencyTreeDurable());
      const instance = await resolve(contextId);
      return create(instance, contextId, wrapper.id)(data, job);
    };
  }

  /**
   * The job is the request, or the list of jobs of a batch: providers get it by `@Inject(REQUEST)`, durable ones the payload
   * of their strategy.
   */
  private contextIdOf(job: object, isDurable: boolean): ContextId {
    const contextId = ContextIdFactory.getByRequest(job);
    if (!(REQUEST_CONTEXT_ID in job)) {
      Object.defineProperty(job, REQUEST_CONTEXT_ID, { value: contextId });
      const request = isDurable ? contextId.payload : job;
      this.moduleRef.registerRequestByContextId(request, contextId);
    }
    return contextId;
  }

  /** Nothing of Nest's applies: its layers, of which each takes its time with each job, would only pass the job on. */
  private isBare({ instance }: InstanceWrapper, method: string): boolean {
    return (
      this.forAll?.size === 0 &&
      !Reflect.hasMetadata(ROUTE_ARGUMENTS_METADATA, instance.constructor, method) &&
      ENHANCER_KEYS.every((key) => !isMarked(key, instance, method))
    );
  }

  /** Without any filter, Nest's layer for them stays away: it costs time with each job. */
  private hasFilters(wrapper: InstanceWrapper, method: string): boolean {
    // Of a provider that lives for one request there is a placeholder, which has its class.
    const { instance } = wrapper;
    return !!this.forAll?.has('filters') || isMarked(EXCEPTION_FILTERS_METADATA, instance, method);
  }

  /**
   * Where Nest finds which parameters the method has. Pipes act on parameters that are known: one without decorators
   * gets data and job, and pipes that are to check the data must not pass it by in silence.
   */
  private argumentsKey(instance: object, method: string): string {
    const type = instance.constructor;
    const hasPipes = this.forAll?.has('pipes') || isMarked(PIPES_METADATA, instance, method);
    if (!hasPipes || Reflect.hasMetadata(ROUTE_ARGUMENTS_METADATA, type, method)) {
      return ROUTE_ARGUMENTS_METADATA;
    }
    Reflect.defineMetadata(PLAIN_ARGUMENTS_METADATA, PLAIN_ARGUMENTS, type, method);
    return PLAIN_ARGUMENTS_METADATA;
  }
}

/** Calls a method through Nest's layers. `job` is missing at an alert: there, that is the request. */
type Call = (data: unknown, job?: RqJob | readonly RqJob[]) => Promise<unknown>;

export interface BinderSettings {
  /** The application's global guards, interceptors, pipes and filters apply to jobs too. */
  readonly globalEnhancers: boolean;
  /** For all jobs; default: none. */
  readonly enhancers?: MadeEnhancers;
  /** `currentJob()` finds the job. */
  readonly tellsCurrentJob: boolean;
  /** Makes the context of whoever enqueued a job; default: handlers run in none. */
  readonly extract?: JobContext['extract'];
  /** The call of `forRoot`, for errors. */
  readonly where?: string;
}

const PLAIN_ARGUMENTS = {
  [`${RqParameterType.DATA}:0`]: { index: 0, data: undefined, pipes: [] },
  [`${RqParameterType.JOB}:1`]: { index: 1, data: undefined, pipes: [] },
};

const untouched = (returned: unknown) => Promise.resolve(returned);

function bareCall(instance: object, method: string): Call {
  const run = methodOf(instance, method);
  return async (data, job) => run.call(instance, data, job);
}

/** A decorator has left this on the class or the method. */
function isMarked(key: string, instance: object, method: string): boolean {
  return (
    Reflect.hasMetadata(key, instance.constructor) ||
    Reflect.hasMetadata(key, methodOf(instance, method))
  );
}
