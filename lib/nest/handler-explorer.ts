import { BadRequestException, type Type, UnprocessableEntityException } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { InvalidOptionError } from '../job/index.js';
import { HandlerRegistry } from '../worker/index.js';
import type { HandlerBinder } from './handler-binder.js';
import { readHandlerOptions } from './handler-options.js';
import { type JobHandlerOptions, jobHandlersOf } from './job-metadata.js';
import * as messages from './messages.js';

/**
 * Finds the `@Job` methods of an application's providers: classes, factories and values, with what they
 * inherit, of any scope. Providers of modules that are loaded lazily come too late to be found.
 */
export class HandlerExplorer {
  /**
   * @param root whose handlers are wanted
   * @param knownRoots all roots of the application: a handler of any other would never run
   */
  constructor(
    private readonly root: string,
    private readonly knownRoots: readonly string[],
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
    private readonly binder: HandlerBinder,
  ) {}

  /**
   * @throws DuplicateHandlerError when two methods want the same name on the same queue
   * @throws InvalidOptionError when a `@Job` is impossible
   */
  explore(): HandlerRegistry {
    const registry = new HandlerRegistry();
    for (const { wrapper, method, options, type, owner } of this.find(
      this.discovery.getProviders(),
    )) {
      const { root, ...read } = readHandlerOptions(options, method, type, owner);
      this.assertKnown(root, owner);
      if (root !== this.root) continue;
      const run = this.binder.bind(wrapper, method);
      registry.register({ ...read, owner, run, hopeless: INVALID_PAYLOAD });
    }
    this.refuseControllers();
    return registry;
  }

  private *find(wrappers: readonly InstanceWrapper[]): Generator<FoundHandler> {
    for (const wrapper of wrappers) {
      // What `useExisting` names is listed itself too.
      if (wrapper.isAlias) continue;
      const prototype = prototypeOf(wrapper);
      if (!prototype) continue;
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        for (const options of jobHandlersOf(prototype[method] as object)) {
          const owner = ownerOf(wrapper, prototype, method);
          yield { wrapper, method, options, type: prototype.constructor as Type, owner };
        }
      }
    }
  }

  private assertKnown(root: string, owner: string): void {
    if (!this.knownRoots.includes(root)) {
      const problem = messages.noSuchRoot(root, this.knownRoots);
      throw new InvalidOptionError({ option: 'root', problem, where: `@Job on ${owner}` });
    }
  }

  /** A controller answers requests: its guards and scopes are made for them. */
  private refuseControllers(): void {
    for (const { owner } of this.find(this.discovery.getControllers())) {
      throw new InvalidOptionError({
        option: '@Job',
        problem: messages.jobOnController,
        where: owner,
      });
    }
  }
}

interface FoundHandler {
  readonly wrapper: InstanceWrapper;
  readonly method: string;
  readonly options: JobHandlerOptions;
  /** The provider's class, which may have inherited the method. */
  readonly type: Type;
  /** For messages: `ImageJobs.processImage in ImagesModule`. */
  readonly owner: string;
}

/** What Nest's pipes throw: the same payload will be no better in the next run. */
const INVALID_PAYLOAD = [BadRequestException, UnprocessableEntityException];

/**
 * The class's prototype. What a factory made or a value is shows on the instance only; of a provider that
 * lives for one request there is a placeholder, whose prototype is the class's.
 */
function prototypeOf(wrapper: InstanceWrapper): Record<string, unknown> | undefined {
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

function ownerOf(
  wrapper: InstanceWrapper,
  prototype: Record<string, unknown>,
  method: string,
): string {
  const module = wrapper.host ? ` in ${wrapper.host.name}` : '';
  return `${prototype.constructor?.name ?? wrapper.name}.${method}${module}`;
}
