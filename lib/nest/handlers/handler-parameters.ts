import { RqParameterType } from '../nest-internals.js';

/** Gives Nest the values of the parameters that `@JobData()` and `@CurrentJob()` marked. */
export class HandlerParameters {
  /** @param args what the handler is called with: the job's data, then the job */
  exchangeKeyForValue(type: number, property: unknown, args: readonly unknown[]): unknown {
    switch (type) {
      case RqParameterType.DATA:
        return typeof property === 'string' ? propertyOf(args[0], property) : args[0];
      case RqParameterType.JOB:
        return args[1];
      default:
        return null;
    }
  }
}

function propertyOf(data: unknown, property: string): unknown {
  return data === null || data === undefined
    ? undefined
    : (data as Record<string, unknown>)[property];
}
