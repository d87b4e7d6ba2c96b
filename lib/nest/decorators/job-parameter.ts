import type { PipeTransform, Type } from '@nestjs/common';
import { ROUTE_ARGUMENTS_METADATA, type RqParameterType } from '../constants.js';

/** A pipe on a parameter, as a class or an instance. */
export type ParameterPipe = Type<PipeTransform> | PipeTransform;

/** Records how a handler's parameter is filled, where Nest looks for it when it calls the handler. */
export function jobParameter(
  type: RqParameterType,
  property: string | undefined,
  pipes: ParameterPipe[],
): ParameterDecorator {
  return (target, key, index) => {
    if (key === undefined) {
      throw new TypeError('@JobData() and @CurrentJob() belong on parameters of methods');
    }
    const known = Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, target.constructor, key) ?? {};
    const parameter = { index, data: property, pipes };
    Reflect.defineMetadata(
      ROUTE_ARGUMENTS_METADATA,
      { ...known, [`${type}:${index}`]: parameter },
      target.constructor,
      key,
    );
  };
}
