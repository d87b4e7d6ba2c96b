import type { Type } from '@nestjs/common';
import type { DiscoveryService, MetadataScanner } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { InvalidOptionError } from '../../job/index.js';
import * as messages from '../messages.js';

/**
 * The methods of an application's providers: classes, factories and values, with what they inherit, of any scope.
 * Providers of modules that are loaded lazily come too late to be found.
 */
export class ProviderMethods {
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly scanner: MetadataScanner,
  ) {}

  /**
   * The methods that a decorator has marked, as often as it has.
   *
   * @param decorator its name, for errors
   * @param marksOf what the decorator left on a method
   * @throws InvalidOptionError when it stands on a controller, whose guards and scopes are made for requests
   */
  *marked<Mark>(
    decorator: string,
    marksOf: (method: object) => readonly Mark[],
  ): Generator<MarkedMethod<Mark>> {
    yield* this.find(this.discovery.getProviders(), marksOf);
    for (const { owner } of this.find(this.discovery.getControllers(), marksOf)) {
      const problem = messages.markedController;
      throw new InvalidOptionError({ option: decorator, problem, where: owner });
    }
  }

  private *find<Mark>(
    wrappers: readonly InstanceWrapper[],
    marksOf: (method: object) => readonly Mark[],
  ): Generator<MarkedMethod<Mark>> {
    for (const wrapper of wrappers) {
      // What `useExisting` names is listed itself too.
      if (wrapper.isAlias) continue;
      const prototype = prototypeOf(wrapper);
      if (!prototype) continue;
      for (const method of this.scanner.getAllMethodNames(prototype)) {
        for (const mark of marksOf(prototype[method] as object)) {
          const owner = ownerOf(wrapper, prototype, method);
          yield { wrapper, method, mark, type: prototype.constructor as Type, owner };
        }
      }
    }
  }
}

export interface MarkedMethod<Mark> {
  readonly wrapper: InstanceWrapper;
  readonly method: string;
  readonly mark: Mark;
  /** The provider's class, which may have inherited the method. */
  readonly type: Type;
  /** For messages: `ImageJobs.processImage in ImagesModule`. */
  readonly owner: string;
}

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
