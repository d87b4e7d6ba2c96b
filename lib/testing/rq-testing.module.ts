import { type DynamicModule, Global, Module, type Provider } from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { moduleOf } from '../nest/discovery/container.js';
import { ROOT_OVERRIDE } from '../nest/root/root-override.js';
import { EmbeddedRoots } from './embedded-roots.js';
import { RqTesting } from './rq-testing.js';
import { type RqTestingOptions, readTestingOptions } from './testing-options.js';

const OPTIONS = Symbol('options of RqTestingModule');

const roots: Provider = {
  provide: ROOT_OVERRIDE,
  inject: [OPTIONS, ModuleRef, ModulesContainer],
  useFactory: (options: RqTestingOptions, moduleRef: ModuleRef, modules: ModulesContainer) => {
    // The last of all modules that is told to end: the connections of the roots are closed then.
    const host = moduleOf(moduleRef, modules);
    if (host) host.distance = Infinity;
    return new EmbeddedRoots(readTestingOptions(options));
  },
};

const testing: Provider = {
  provide: RqTesting,
  inject: [ROOT_OVERRIDE, ModuleRef],
  useFactory: (embedded: EmbeddedRoots, moduleRef: ModuleRef) => new RqTesting(embedded, moduleRef),
};

/**
 * Tests an application without a Redis. Every `RqModule.forRoot` of it talks to an embedded server instead of its
 * `connection`, with all other options kept. Import it beside the application's module; nothing there changes.
 *
 * @example
 * const moduleRef = await Test.createTestingModule({ imports: [AppModule, RqTestingModule] }).compile();
 * const app = await moduleRef.createNestApplication().init();
 * const rq = app.get(RqTesting);
 */
@Global()
@Module({
  providers: [{ provide: OPTIONS, useValue: {} }, roots, testing],
  exports: [ROOT_OVERRIDE, RqTesting],
})
export class RqTestingModule {
  /** The same with options. @throws InvalidOptionError when the module is compiled, naming the key */
  static forRoot(options: RqTestingOptions = {}): DynamicModule {
    return { module: RqTestingModule, providers: [{ provide: OPTIONS, useValue: options }] };
  }
}
