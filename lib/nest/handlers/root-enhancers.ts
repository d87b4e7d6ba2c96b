import {
  type CanActivate,
  Catch,
  type ExceptionFilter,
  type NestInterceptor,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { ApplicationConfig, type ModulesContainer } from '@nestjs/core';
import { InvalidOptionError } from '../../job/index.js';
import * as problems from '../problems.js';
import { type ContainerModule, moduleRefOf } from '../nest-internals.js';
import { type JobEnhancers, assertEnhancer } from '../options/index.js';

/**
 * The enhancers that apply to every job of a root. They are those of `forRoot({ enhancers })`. With `globalEnhancers:
 * true` the application's global ones come before them. To Nest they are the global ones of a configuration that only
 * jobs have.
 */
export interface MadeEnhancers {
  readonly guards: readonly CanActivate[];
  readonly interceptors: readonly NestInterceptor[];
  readonly pipes: readonly PipeTransform[];
  readonly filters: readonly ExceptionFilter[];
}

export const NO_ENHANCERS: MadeEnhancers = { guards: [], interceptors: [], pipes: [], filters: [] };

/**
 * Takes or makes what the options name as classes.
 *
 * @param home the module to make them in; a provider of it wins over those of other modules
 * @throws InvalidOptionError when one cannot be made, or is made for one request
 */
export async function makeEnhancers(
  { guards, interceptors, pipes, filters }: JobEnhancers,
  home: ContainerModule | undefined,
  modules: ModulesContainer,
  where: string,
): Promise<MadeEnhancers> {
  const make = async <Enhancer extends object>(
    kind: keyof JobEnhancers,
    given: readonly (Enhancer | Type<Enhancer>)[] = [],
  ): Promise<Enhancer[]> => {
    const made: Enhancer[] = [];
    for (const [index, one] of given.entries()) {
      const option = `enhancers.${kind}[${index}]`;
      const enhancer =
        typeof one === 'function' ? await instanceOf(one, home, modules, option, where) : one;
      assertEnhancer(kind, enhancer, option, where);
      made.push(enhancer);
    }
    return made;
  };
  return {
    guards: await make('guards', guards),
    interceptors: await make('interceptors', interceptors),
    pipes: await make('pipes', pipes),
    filters: await make('filters', filters),
  };
}

/** The configuration in which these are the global enhancers. */
export function configOfJobs(
  enhancers: MadeEnhancers,
  application: ApplicationConfig | undefined,
): ApplicationConfig {
  const config = new ApplicationConfig();
  // Asked last: without it Nest would log each error that no filter handles, a second time.
  config.useGlobalFilters(new Rethrow());
  if (application) {
    config.useGlobalGuards(...application.getGlobalGuards());
    config.useGlobalInterceptors(...application.getGlobalInterceptors());
    config.useGlobalPipes(...application.getGlobalPipes());
    config.useGlobalFilters(...application.getGlobalFilters());
    application.getGlobalRequestGuards().forEach((one) => config.addGlobalRequestGuard(one));
    for (const one of application.getGlobalRequestInterceptors()) {
      config.addGlobalRequestInterceptor(one);
    }
    application.getGlobalRequestPipes().forEach((one) => config.addGlobalRequestPipe(one));
    application.getGlobalRequestFilters().forEach((one) => config.addGlobalRequestFilter(one));
  }
  config.useGlobalGuards(...enhancers.guards);
  config.useGlobalInterceptors(...enhancers.interceptors);
  config.useGlobalPipes(...enhancers.pipes);
  config.useGlobalFilters(...enhancers.filters);
  return config;
}

/** Of which kinds such a configuration has some. */
export function kindsIn(config: ApplicationConfig): ReadonlySet<keyof MadeEnhancers> {
  const counts: Record<keyof MadeEnhancers, number> = {
    guards: config.getGlobalGuards().length + config.getGlobalRequestGuards().length,
    interceptors:
      config.getGlobalInterceptors().length + config.getGlobalRequestInterceptors().length,
    pipes: config.getGlobalPipes().length + config.getGlobalRequestPipes().length,
    // One is ours.
    filters: config.getGlobalFilters().length - 1 + config.getGlobalRequestFilters().length,
  };
  const kinds = Object.keys(counts) as (keyof MadeEnhancers)[];
  return new Set(kinds.filter((kind) => counts[kind] > 0));
}

/** What no filter handles fails the attempt, and is reported there. */
@Catch()
class Rethrow implements ExceptionFilter {
  catch(error: unknown): never {
    throw error;
  }
}

async function instanceOf<Enhancer>(
  type: Type<Enhancer>,
  home: ContainerModule | undefined,
  modules: ModulesContainer,
  option: string,
  where: string,
): Promise<Enhancer> {
  const provider = [home, ...modules.values()]
    .map((module) => module?.providers.get(type))
    .find((wrapper) => wrapper !== undefined);
  if (provider && !provider.isDependencyTreeStatic()) {
    throw new InvalidOptionError({ option, problem: problems.enhancerPerJob(type.name), where });
  }
  // A transient provider has an instance for each that asks: this one is made like a class nobody provides.
  if (provider && !provider.isTransient) return provider.instance as Enhancer;
  if (!home) {
    throw new InvalidOptionError({ option, problem: problems.enhancersOutOfReach, where });
  }
  try {
    return await moduleRefOf(home).create<Enhancer>(type);
  } catch (error) {
    const problem = problems.enhancerNotMade(type.name, error);
    throw new InvalidOptionError({ option, problem, where });
  }
}
