import type { FactoryProvider, Provider } from '@nestjs/common';
import { ModulesContainer } from '@nestjs/core';
import { InvalidOptionError } from '../../job/index.js';
import type { Queue } from '../../queue/index.js';
import { rootsOf } from '../discovery/container.js';
import * as problems from '../problems.js';
import {
  type RegisterQueueAsyncOptions,
  type RegisterQueueOptions,
  readAsyncSource,
} from '../options/index.js';
import {
  QUEUE_REGISTRATIONS,
  type QueueRegistration,
  registrationPlaceOf,
} from '../queues/queue-registration.js';
import type { RqRoot } from './rq-root.js';
import { DEFAULT_ROOT, getQueueToken, getRootToken } from '../tokens.js';

/**
 * What a module gets by registering queues: a provider for each `Queue`, which asks the root for it. Nothing
 * is made here, so that the same queue in five modules is one.
 */
export function queueProviders(
  queues: readonly (string | RegisterQueueOptions)[],
): ProvidersAndExports {
  const registrations = queues.map((queue): QueueRegistration => {
    const options = typeof queue === 'string' ? { name: queue } : { ...queue };
    return { name: options.name, root: options.root ?? DEFAULT_ROOT, options };
  });
  return providing(registrations, []);
}

/** The same for options that factories bring. */
export function asyncQueueProviders(
  queues: readonly RegisterQueueAsyncOptions[],
): ProvidersAndExports {
  const sources = queues.map((source) => {
    const { name, root = DEFAULT_ROOT } = source;
    return { source, registration: { name, root, options: undefined } };
  });
  return providing(
    sources.map(({ registration }) => registration),
    sources.flatMap(({ registration, source }) => optionsProviders(registration, source)),
  );
}

interface ProvidersAndExports {
  readonly providers: Provider[];
  readonly exports: string[];
}

function providing(
  registrations: readonly QueueRegistration[],
  optionsOf: readonly Provider[],
): ProvidersAndExports {
  const known: Provider = { provide: QUEUE_REGISTRATIONS, useValue: registrations };
  return {
    providers: [known, ...optionsOf, ...registrations.map(queueProvider)],
    exports: registrations.map(({ name, root }) => getQueueToken(name, root)),
  };
}

function queueProvider(registration: QueueRegistration): FactoryProvider<Promise<Queue>> {
  return {
    provide: getQueueToken(registration.name, registration.root),
    inject: [ModulesContainer, optional(getRootToken(registration.root))],
    useFactory: async (modules: ModulesContainer, root: RqRoot | undefined) => {
      if (!root) throw missingRoot(registration, modules);
      return root.queues.registered(registration);
    },
  };
}

function optionsProviders(
  registration: QueueRegistration,
  source: RegisterQueueAsyncOptions,
): Provider[] {
  const recipe = readAsyncSource(
    source,
    (factory) => factory.createRqQueueOptions(),
    `RqModule.registerQueueAsync("${registration.name}")`,
  );
  const options: FactoryProvider = {
    provide: Symbol(`options of queue ${registration.name}`),
    inject: [ModulesContainer, optional(getRootToken(registration.root)), ...recipe.inject],
    useFactory: async (modules: ModulesContainer, root: RqRoot | undefined, ...args: unknown[]) => {
      if (!root) throw missingRoot(registration, modules);
      root.queues.fulfil(registration, await recipe.create(...args));
    },
  };
  return [options, ...recipe.providers];
}

function missingRoot(registration: QueueRegistration, modules: ModulesContainer): Error {
  return new InvalidOptionError({
    option: 'root',
    problem: problems.noSuchRoot(registration.root, rootsOf(modules)),
    where: registrationPlaceOf(registration, modules),
  });
}

function optional(token: string) {
  return { token, optional: true };
}
