import type {
  CanActivate,
  ExceptionFilter,
  NestInterceptor,
  PipeTransform,
  Type,
} from '@nestjs/common';
import {
  InvalidOptionError,
  type OptionRule,
  optionTable,
  optional,
  readOptions,
} from '../../job/index.js';

/**
 * Enhancers for every job of a root, outside those of classes and methods. They are what `app.useGlobalPipes(...)` and
 * the like are for requests. Each is an instance or a class. A class is taken from the application where a module
 * provides it, and else made as if the module that calls `forRoot` provided it; it must not be request-scoped.
 */
export interface JobEnhancers {
  guards?: readonly (CanActivate | Type<CanActivate>)[];
  interceptors?: readonly (NestInterceptor | Type<NestInterceptor>)[];
  pipes?: readonly (PipeTransform | Type<PipeTransform>)[];
  filters?: readonly (ExceptionFilter | Type<ExceptionFilter>)[];
}

/** The kinds of enhancers, and the method by which one is known. */
export const ENHANCER_METHODS = {
  guards: 'canActivate',
  interceptors: 'intercept',
  pipes: 'transform',
  filters: 'catch',
} as const satisfies Record<keyof JobEnhancers, string>;

/** @throws InvalidOptionError naming the key; what a class makes is looked at when it is made */
export function readEnhancers(
  value: unknown,
  option: string,
  where: string | undefined,
): JobEnhancers {
  return readOptions(value, ENHANCERS, where, option);
}

const ENHANCERS = optionTable<JobEnhancers>()({
  guards: optional(listOf<CanActivate>('guards')),
  interceptors: optional(listOf<NestInterceptor>('interceptors')),
  pipes: optional(listOf<PipeTransform>('pipes')),
  filters: optional(listOf<ExceptionFilter>('filters')),
});

function listOf<Enhancer>(
  kind: keyof JobEnhancers,
): OptionRule<readonly (Enhancer | Type<Enhancer>)[]> {
  return (value, option, where) => {
    if (!Array.isArray(value)) {
      throw new InvalidOptionError({ option, problem: 'must be a list', value, where });
    }
    for (const [index, one] of (value as unknown[]).entries()) {
      if (typeof one !== 'function') assertEnhancer(kind, one, `${option}[${index}]`, where);
    }
    return value as (Enhancer | Type<Enhancer>)[];
  };
}

/** @throws InvalidOptionError unless it has the method of its kind */
export function assertEnhancer(
  kind: keyof JobEnhancers,
  enhancer: unknown,
  option: string,
  where: string | undefined,
): void {
  const method = ENHANCER_METHODS[kind];
  const found = (enhancer as Record<string, unknown> | null | undefined)?.[method];
  if (typeof found !== 'function') {
    const problem = `must have a method ${method}(), or be a class that has`;
    throw new InvalidOptionError({ option, problem, value: enhancer, where });
  }
}
