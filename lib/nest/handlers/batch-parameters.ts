import type { PipeTransform, Type } from '@nestjs/common';
import { InvalidOptionError } from '../../job/index.js';
import { type Method, methodOf } from '../discovery/method-marks.js';
import * as problems from '../problems.js';
import {
  PARAMETER_TYPES_METADATA,
  PIPES_METADATA,
  ROUTE_ARGUMENTS_METADATA,
  RqParameterType,
} from '../nest-internals.js';

/**
 * The parameters of a handler that takes several jobs at once: the list of their data, then the list of the jobs. The
 * compiler leaves no trace of what a list holds, and Nest's pipes would see a list, of which most of them check nothing. So
 * the pipes see the data of each job by itself, before the handler is called.
 *
 * For example `@JobData({ schema })` or `@UsePipes(new ZodPipe(event))` on `index(events: Event[], jobs: BatchedJob[])`:
 * the pipe sees one event after the other, and a job whose event is invalid fails alone.
 */

/** As Nest keeps it. */
interface Parameter {
  readonly index: number;
  readonly data?: unknown;
  readonly pipes: (Type<PipeTransform> | PipeTransform)[];
}

type Parameters = Readonly<Record<string, Parameter>>;

/** @throws InvalidOptionError when a decorator would put something else in the place of a list */
export function assertListed(instance: object, method: string, where: string): void {
  for (const [key, { index, data }] of Object.entries(parametersOf(instance, method))) {
    const isData = key === `${RqParameterType.DATA}:0` && data === undefined;
    const isJobs = key === `${RqParameterType.JOB}:1`;
    if (isData || isJobs) continue;
    throw new InvalidOptionError({
      option: 'batch',
      problem: problems.batchParameter(index),
      where,
    });
  }
}

/** How the data of one job are seen by the pipes: as the parameter of the list, with what stands there. */
export function itemArguments(instance: object, method: string): Parameter {
  const parameter = parametersOf(instance, method)[`${RqParameterType.DATA}:0`];
  return { data: undefined, pipes: [], ...parameter, index: 0 };
}

/**
 * Stands for the handler where only its pipes are wanted: it gives back what they have made of the data.
 * @param items the class of the data; undefined: pipes that go by the class see none
 */
export function itemLook(
  instance: object,
  method: string,
  items: Type | undefined,
): { readonly holder: object; readonly look: Method; readonly name: string } {
  const look = (data: unknown) => data;
  const pipes: unknown = Reflect.getMetadata(PIPES_METADATA, methodOf(instance, method));
  if (pipes !== undefined) Reflect.defineMetadata(PIPES_METADATA, pipes, look);
  // Nest finds the module, and the pipes of the class, by the constructor; the types by the name, which is not the method's.
  const holder = Object.create(null, { constructor: { value: instance.constructor } }) as object;
  const name = `${method} (one job)`;
  Reflect.defineMetadata(PARAMETER_TYPES_METADATA, [items ?? Object], holder, name);
  return { holder, look, name };
}

function parametersOf({ constructor }: object, method: string): Parameters {
  const parameters: unknown = Reflect.getMetadata(ROUTE_ARGUMENTS_METADATA, constructor, method);
  return (parameters ?? {}) as Parameters;
}
