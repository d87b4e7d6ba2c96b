import type { Type } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { InvalidOptionError } from '../../job/index.js';
import { methodReplaced } from '../log-lines.js';
import { markedController } from '../problems.js';
import { type InstanceWrapper, prototypeOf } from '../nest-internals.js';
import { rememberProvided } from './decorated-classes.js';
import { chainOf } from './method-marks.js';

/**
 * Lists the methods of all providers of an application, inherited ones too. A provider may be a class, a factory or a
 * value, of any scope. Providers of modules that are loaded lazily come too late to be found.
 */
export class ProviderMethods {
  /** @param onLost called with what an operator should read of a method that cannot be called */
  constructor(
    private readonly discovery: DiscoveryService,
    private readonly onLost: (problem: string) => void = () => undefined,
  ) {}

  /**
   * The methods that a decorator has marked, as often as it has. One instance counts once, however many tokens it has.
   *
   * @param decorator its name, for messages
   * @param marksOf what the decorator left on the methods of a class, by name
   * @throws InvalidOptionError when it stands on a controller, whose guards and scopes are made for requests
   */
  *marked<Mark>(decorator: string, marksOf: MarksOf<Mark>): Generator<MarkedMethod<Mark>> {
    yield* this.find(decorator, this.discovery.getProviders(), marksOf);
    for (const { owner } of this.find(decorator, this.discovery.getControllers(), marksOf)) {
      throw new InvalidOptionError({ option: decorator, problem: markedController, where: owner });
    }
  }

  private *find<Mark>(
    decorator: string,
    wrappers: readonly InstanceWrapper[],
    marksOf: MarksOf<Mark>,
  ): Generator<MarkedMethod<Mark>> {
    const seen = new Set<unknown>();
    for (const wrapper of wrappers) {
      rememberToken(wrapper);
      // What `useExisting` names is listed itself too.
      if (wrapper.isAlias) continue;
      const prototype = prototypeOf(wrapper);
      if (!prototype) continue;
      chainOf(prototype).forEach(rememberProvided);
      const { instance } = wrapper as { instance: unknown };
      if (instance && seen.has(instance)) continue;
      seen.add(instance);
      for (const [method, marks] of marksOf(prototype)) {
        const owner = ownerOf(wrapper, prototype, method);
        if (!isCallable(wrapper, prototype, method)) {
          this.onLost(methodReplaced(decorator, owner));
          continue;
        }
        for (const mark of marks) {
          yield { wrapper, method, mark, type: prototype.constructor as Type, owner };
        }
      }
    }
  }
}

export type MarksOf<Mark> = (prototype: object) => ReadonlyMap<string, readonly Mark[]>;

export interface MarkedMethod<Mark> {
  readonly wrapper: InstanceWrapper;
  readonly method: string;
  readonly mark: Mark;
  /** The provider's class, which may have inherited the method. */
  readonly type: Type;
  /** For messages: `ImageJobs.processImage in ImagesModule`. */
  readonly owner: string;
}

/** What stands in for a class, in a test for example, was put there on purpose. */
function rememberToken({ token, metatype }: InstanceWrapper): void {
  for (const type of [token, metatype] as unknown[]) {
    const prototype = typeof type === 'function' ? (type.prototype as object | null) : undefined;
    if (prototype) rememberProvided(prototype);
  }
}

/** A decorator above ours may have put anything in the method's place, such as a getter. */
function isCallable({ instance }: InstanceWrapper, prototype: object, method: string): boolean {
  try {
    const holder = (instance as object | undefined) ?? prototype;
    return typeof (holder as Record<string, unknown>)[method] === 'function';
  } catch {
    return false;
  }
}

function ownerOf(
  wrapper: InstanceWrapper,
  prototype: Record<string, unknown>,
  method: string,
): string {
  const module = wrapper.host ? ` in ${wrapper.host.name}` : '';
  return `${prototype.constructor?.name ?? wrapper.name}.${method}${module}`;
}
