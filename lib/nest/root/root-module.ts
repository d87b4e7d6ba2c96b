import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import {
  DiscoveryModule,
  DiscoveryService,
  ExternalContextCreator,
  ModuleRef,
  ModulesContainer,
} from '@nestjs/core';
import { InvalidOptionError } from '../../job/index.js';
import { moduleOf, rootsOf } from '../discovery/container.js';
import { HandlerBinder } from '../handlers/apply-enhancers.js';
import { HandlerExplorer } from './handler-explorer.js';
import { tracedBatchHandler, tracedHandler } from '../handlers/traced-handler.js';
import { makeEnhancers } from '../handlers/root-enhancers.js';
import * as problems from '../problems.js';
import { type ContainerModule, ownImports } from '../nest-internals.js';
import { type AsyncRecipe, type RqFactoryOptions, readRootOptions } from '../options/index.js';
import { ProviderMethods } from '../discovery/provider-methods.js';
import { registrationsOf } from '../queues/queue-registration.js';
import { ROOT_OVERRIDE, type RootOverride } from './root-override.js';
import { RqRoot } from './rq-root.js';
import { RqLogger } from '../rq-logger.js';
import { DEFAULT_ROOT, getRootToken } from '../tokens.js';
import { WorkerHost } from './worker-host.js';

/**
 * The two modules behind one `RqModule.forRoot`: one holds the connections and queues, one the worker.
 *
 * Nest calls lifecycle hooks module by module, and the two belong at opposite ends of that order:
 *
 * 1. Start: first the connections (`RqRootModule`), so that any provider can enqueue in its `onModuleInit`.
 * 2. Then all other modules of the application.
 * 3. Last the worker (`RqWorkerModule`): handlers run only when everything that they use is ready.
 * 4. End, in reverse: first the worker stops, then other providers are destroyed, last the connections are closed.
 *
 * Global modules have the first place of that order by themselves; the worker's module is given the other end below.
 */

/** Mostly there is none: see RootOverride. */
const OVERRIDE = { token: ROOT_OVERRIDE, optional: true };

/** Holds a root's connections and queues. Always global: any module may register queues. */
@Module({})
export class RqRootModule {
  /** @param recipe brings the options, however the application gives them */
  static for(
    name: string,
    recipe: AsyncRecipe<RqFactoryOptions>,
    imports: DynamicModule['imports'] = [],
  ): DynamicModule {
    const token = getRootToken(name);
    const options = Symbol(`options of ${token}`);
    const root: Provider = {
      provide: token,
      inject: [ModulesContainer, options, OVERRIDE],
      useFactory: async (
        modules: ModulesContainer,
        given: RqFactoryOptions,
        override?: RootOverride,
      ) => {
        const importers = importersOf(definition, modules);
        const place = rootPlace(name, importers);
        assertRootName(name, place, modules);
        const registrations = registrationsOf(modules).filter(
          ({ registration }) => registration.root === name,
        );
        const chosen = override ? await override.options(name, given) : given;
        const read = readRootOptions(chosen, place);
        return new RqRoot(name, place, importers[0], read, registrations, override);
      },
    };
    const definition: DynamicModule = {
      module: RqRootModule,
      global: true,
      imports: [...imports, RqWorkerModule.for(token)],
      providers: [
        { provide: options, inject: recipe.inject, useFactory: recipe.create },
        ...recipe.providers,
        root,
      ],
      exports: [token],
    };
    return definition;
  }
}

/** Holds a root's worker. */
@Module({})
export class RqWorkerModule {
  static for(root: InjectionToken): DynamicModule {
    const worker: Provider = {
      provide: WorkerHost,
      inject: [
        root,
        ModulesContainer,
        ModuleRef,
        DiscoveryService,
        ExternalContextCreator,
        OVERRIDE,
      ],
      useFactory: createWorkerHost,
    };
    return { module: RqWorkerModule, imports: [DiscoveryModule], providers: [worker] };
  }
}

function createWorkerHost(
  root: RqRoot,
  modules: ModulesContainer,
  moduleRef: ModuleRef,
  discovery: DiscoveryService,
  contexts: ExternalContextCreator,
  override?: RootOverride,
): WorkerHost {
  // Hooks run in the order of distance from the root module: last of all at start, first of all at the end.
  const host = moduleOf(moduleRef, modules);
  if (host) host.distance = -1;
  // When the worker starts, and not before: only then all global enhancers are known and all providers made.
  return new WorkerHost(root, override, async () => {
    const { options, place } = root;
    const home = root.home ?? host;
    const enhancers = await makeEnhancers(options.enhancers, home, modules, place);
    const binder = new HandlerBinder(contexts, moduleRef, {
      globalEnhancers: options.globalEnhancers,
      enhancers,
      tellsCurrentJob: options.currentJob,
      extract: options.context.extract,
      where: place,
    });
    const { telemetry } = options;
    const traced = telemetry && {
      telemetry,
      worker: () => root.worker?.name,
      traces: root.traces,
    };
    const logger = new RqLogger('RqExplorer');
    const methods = new ProviderMethods(discovery, (problem) => logger.warn(problem));
    return new HandlerExplorer(root.name, rootsOf(modules), methods, {
      bind: (...handler) => {
        const bound = binder.bind(...handler);
        const run = traced ? tracedHandler(bound, traced) : bound;
        return override ? override.handler(run) : run;
      },
      bindBatch: (...handler) => {
        const bound = binder.bindBatch(...handler);
        const { run, item } = traced ? tracedBatchHandler(bound, traced) : bound;
        return { run: override ? override.handler(run) : run, item };
      },
      bindListener: (...listener) => binder.bindListener(...listener),
    });
  });
}

/** The modules that call `forRoot`. */
function importersOf(root: DynamicModule, modules: ModulesContainer): ContainerModule[] {
  // Nest makes every module import the global ones: who did so by itself is only in its own metadata.
  return [...modules.values()].filter((module) =>
    ownImports(module).some((one) => (one as DynamicModule | undefined)?.imports?.includes(root)),
  );
}

/** Where `forRoot` was called, for errors: `RqModule.forRoot(name "reports") in AppModule`. */
function rootPlace(name: string, importers: readonly ContainerModule[]): string {
  const call = name === DEFAULT_ROOT ? 'RqModule.forRoot' : `RqModule.forRoot(name "${name}")`;
  const names = importers.map((importer) => importer.name);
  return names.length > 0 ? `${call} in ${names.join(', ')}` : call;
}

function assertRootName(name: string, where: string, modules: ModulesContainer): void {
  if (typeof name !== 'string' || !/^[A-Za-z0-9_-]+$/.test(name)) {
    const problem = "must be letters, digits, '_' or '-'";
    throw new InvalidOptionError({ option: 'name', problem, value: name, where });
  }
  if (rootsOf(modules).filter((root) => root === name).length > 1) {
    const problem = problems.rootTwice(name);
    throw new InvalidOptionError({ option: 'name', problem, where });
  }
}
