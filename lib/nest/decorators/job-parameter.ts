import type { PipeTransform, Type } from '@nestjs/common';
import { ROUTE_ARGUMENTS_METADATA, type RqParameterType } from '../nest-internals.js';

/** A pipe on a parameter, as a class or an instance. */
export type ParameterPipe = Type<PipeTransform> | PipeTransform;

/**
 * A schema of zod, Valibot, ArkType and others: as much as is used here of the Standard Schema that they share
 * (https://standardschema.dev).
 */
export interface StandardSchema {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    validate(value: unknown): unknown;
  };
}

/** What a parameter is filled with, and what it goes through before. */
export interface JobParameter {
  /** The property of the data that is meant; default: all of it. */
  readonly property?: string;
  readonly pipes?: readonly ParameterPipe[];
  /** For the pipes to look at: Nest 12 gives it to them as `metadata.schema`. */
  readonly schema?: StandardSchema;
}

/**
 * Records how a handler's parameter is filled, where Nest looks for it when it calls the handler.
 * @param read gives the details, or throws what is wrong with them; called with the method's name
 */
export function jobParameter(
  type: RqParameterType,
  read: (where: string) => JobParameter = () => ({}),
): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) {
      throw new TypeError('@JobData() and @CurrentJob() belong on parameters of methods');
    }
    const { property, pipes, schema } = read(`${target.constructor.name}.${String(key)}`);
    const known = Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, target.constructor, key) ?? {};
    const parameter = { index, data: property, pipes: pipes ?? [], ...(schema && { schema }) };
    Reflect.defineMetadata(
      ROUTE_ARGUMENTS_METADATA,
      { ...known, [`${type}:${index}`]: parameter },
      target.constructor,
      key,
    );
  };
}
