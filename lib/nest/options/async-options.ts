import type {
  FactoryProvider,
  InjectionToken,
  ModuleMetadata,
  Provider,
  Type,
} from '@nestjs/common';
import { InvalidOptionError, checkOptions } from '../../job/index.js';
import { needsOneSource } from '../problems.js';
import type { RqQueueOptions } from './queue-options.js';
import type { RqModuleOptions } from './root-options.js';

/** Options that are known only when the application starts, in the three ways that Nest's modules offer. */
export interface AsyncSource<Options, Factory> extends Pick<ModuleMetadata, 'imports'> {
  /** What `useFactory` is called with. */
  inject?: FactoryProvider['inject'];
  /** Exactly one of `useFactory`, `useClass` and `useExisting` is given. */
  useFactory?: (...args: any[]) => Options | Promise<Options>;
  /** A class that is made for this purpose; it may inject what `imports` export. */
  useClass?: Type<Factory>;
  /** A provider that exists already, in one of `imports` or globally. */
  useExisting?: InjectionToken<Factory>;
}

/** What a factory for `forRootAsync` brings; `name` and `isGlobal` must be known before and stand beside it. */
export type RqFactoryOptions = Omit<RqModuleOptions, 'name' | 'isGlobal'>;

/** What `useClass` and `useExisting` of `RqModule.forRootAsync` name. */
export interface RqOptionsFactory {
  createRqOptions(): RqFactoryOptions | Promise<RqFactoryOptions>;
}

export interface RqModuleAsyncOptions
  extends
    AsyncSource<RqFactoryOptions, RqOptionsFactory>,
    Pick<RqModuleOptions, 'name' | 'isGlobal'> {}

/** What `useClass` and `useExisting` of `RqModule.registerQueueAsync` name. */
export interface RqQueueOptionsFactory {
  createRqQueueOptions(): RqQueueOptions | Promise<RqQueueOptions>;
}

export interface RegisterQueueAsyncOptions extends AsyncSource<
  RqQueueOptions,
  RqQueueOptionsFactory
> {
  name: string;
  /** The `name` of the `RqModule.forRoot` the queue belongs to; default: the one without a name. */
  root?: string;
}

/** An async source as Nest needs it: what to inject, what to call with it, what to provide for it. */
export interface AsyncRecipe<Options> {
  readonly inject: NonNullable<FactoryProvider['inject']>;
  readonly create: (...args: any[]) => Options | Promise<Options>;
  readonly providers: Provider[];
}

/**
 * Reads an async source. What is wrong with it is thrown by the recipe, at bootstrap, and not where the
 * application's files are loaded.
 *
 * @param call how to get the options out of an instance of `useClass` or `useExisting`
 */
export function readAsyncSource<Options, Factory>(
  source: AsyncSource<Options, Factory>,
  call: (factory: Factory) => Options | Promise<Options>,
  where: string,
): AsyncRecipe<Options> {
  const { inject = [], useFactory, useClass, useExisting } = source;
  const token = useClass ?? useExisting;
  const count = [useFactory, useClass, useExisting].filter((one) => one !== undefined).length;
  if (count !== 1) {
    const create = () => {
      checkOptions(source, SOURCE_KEYS, '', where);
      throw new InvalidOptionError({ option: 'useFactory', problem: needsOneSource, where });
    };
    return { inject: [], create, providers: [] };
  }
  return {
    inject: token ? [token] : inject,
    create: (...args) => {
      checkOptions(source, SOURCE_KEYS, '', where);
      return useFactory ? useFactory(...args) : call(args[0] as Factory);
    },
    providers: useClass ? [useClass] : [],
  };
}

const SOURCE_KEYS: ReadonlySet<string> = new Set([
  'name',
  'root',
  'isGlobal',
  'imports',
  'inject',
  'useFactory',
  'useClass',
  'useExisting',
]);
