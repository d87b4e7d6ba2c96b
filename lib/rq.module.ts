import { type DynamicModule, Module } from '@nestjs/common';
import { flag } from './job/index.js';
import {
  type AsyncRecipe,
  type RegisterQueueAsyncOptions,
  type RegisterQueueOptions,
  type RqFactoryOptions,
  type RqModuleAsyncOptions,
  type RqModuleOptions,
  readAsyncSource,
} from './nest/options/index.js';
import { RqHealth, getRqHealthToken } from './nest/health/rq-health.js';
import { asyncQueueProviders, queueProviders } from './nest/root/queue-providers.js';
import { RqRootModule } from './nest/root/root-module.js';
import type { RqRoot } from './nest/root/rq-root.js';
import { RqService, getRqServiceToken } from './nest/root/rq.service.js';
import { DEFAULT_ROOT, getRootToken, getRqInspectorToken } from './nest/tokens.js';
import { RqInspector } from './observe/index.js';

/**
 * RQ for a Nest application: `forRoot` once in the root module, `registerQueue` wherever a queue is injected,
 * `@Job` on the methods that do the work.
 *
 * @example
 * @Module({
 *   imports: [
 *     RqModule.forRoot({ connection: 'redis://localhost:6379' }),
 *     RqModule.registerQueue('images', { name: 'mail', defaultJobOptions: { timeout: '30s' } }),
 *   ],
 *   providers: [ImageJobs, UploadService],
 * })
 * export class AppModule {}
 */
@Module({})
export class RqModule {
  /**
   * Connects the application to a Redis, and runs a worker for its `@Job` methods inside it. A second one with a
   * `name` is another Redis: `registerQueue({ name: 'x', root: 'reports' })`, `@InjectQueue('x', 'reports')`,
   * `@Job({ queue: 'x', root: 'reports' })`.
   *
   * At bootstrap it throws InvalidOptionError for options that are unknown or impossible, and RqConnectionError
   * when Redis is not there (see `onRedisDown`).
   */
  static forRoot(options: RqModuleOptions): DynamicModule {
    const { name, isGlobal, ...rest } = options;
    return root({ name, isGlobal }, { inject: [], create: () => rest, providers: [] });
  }

  /**
   * The same with options that are known only when the application starts.
   *
   * @example
   * RqModule.forRootAsync({
   *   imports: [ConfigModule],
   *   inject: [ConfigService],
   *   useFactory: (config: ConfigService) => ({ connection: config.getOrThrow('REDIS_URL') }),
   * })
   */
  static forRootAsync(options: RqModuleAsyncOptions): DynamicModule {
    const recipe = readAsyncSource(
      options,
      (factory) => factory.createRqOptions(),
      'RqModule.forRootAsync',
    );
    return root(options, recipe);
  }

  /**
   * Makes queues injectable in the module that imports this: `@InjectQueue('images')`. Registering a queue in
   * another module too gives the same `Queue`; options need to be given once, and must agree if given twice.
   * A queue that is only consumed needs no registration.
   */
  static registerQueue(...queues: (string | RegisterQueueOptions)[]): DynamicModule {
    return { module: RqModule, ...queueProviders(queues) };
  }

  /** The same with options that are known only when the application starts. */
  static registerQueueAsync(...queues: RegisterQueueAsyncOptions[]): DynamicModule {
    const imports = queues.flatMap((queue) => queue.imports ?? []);
    return { module: RqModule, imports, ...asyncQueueProviders(queues) };
  }
}

function root(
  { name = DEFAULT_ROOT, isGlobal = true, imports }: Omit<RqModuleAsyncOptions, 'inject'>,
  recipe: AsyncRecipe<RqFactoryOptions>,
): DynamicModule {
  const create: typeof recipe.create = (...args) => {
    flag(isGlobal, 'isGlobal', 'RqModule.forRoot');
    return recipe.create(...args);
  };
  const service = {
    provide: getRqServiceToken(name),
    inject: [getRootToken(name)],
    useFactory: (rqRoot: RqRoot) => new RqService(rqRoot),
  };
  const inspector = {
    provide: getRqInspectorToken(name),
    inject: [getRootToken(name)],
    useFactory: (rqRoot: RqRoot) => new RqInspector(rqRoot.store),
  };
  const health = {
    provide: getRqHealthToken(name),
    inject: [getRootToken(name)],
    useFactory: (rqRoot: RqRoot) => new RqHealth(rqRoot),
  };
  return {
    module: RqModule,
    global: isGlobal,
    imports: [RqRootModule.for(name, { ...recipe, create }, imports)],
    providers: [service, inspector, health],
    exports: [service.provide, inspector.provide, health.provide],
  };
}
