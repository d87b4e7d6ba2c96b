import {
  InvalidOptionError,
  optionTable,
  optional,
  otherwise,
  readOptions,
} from '../../job/index.js';
import { RqParameterType } from '../nest-internals.js';
import * as problems from '../problems.js';
import { assertCalled, isTarget } from './called-decorator.js';
import {
  jobParameter,
  type JobParameter,
  type ParameterPipe,
  type StandardSchema,
} from './job-parameter.js';

/** What `@JobData` may say of a parameter beside its name, as Nest's `@Body` does. */
export interface JobDataOptions {
  /**
   * A Standard Schema (of zod, Valibot, ArkType and others) for Nest 12's `StandardSchemaValidationPipe`, which must
   * apply to the handler: here, by `@UsePipes`, or to all jobs by `forRoot({ enhancers: { pipes } })`. By itself a schema
   * checks nothing; in Nest 11 pipes do not see it.
   */
  schema?: StandardSchema;
  /** Pipes of this parameter; they come after those of the method. */
  pipes?: readonly ParameterPipe[];
}

/**
 * Injects the job's data, or one property of it. Pipes apply, those given here and those of the method.
 *
 * @throws InvalidOptionError when what it is given is no pipe and no option
 *
 * @example
 * resize(@JobData() image: ImageDto, @JobData('width', ParseIntPipe) width: number) {}
 *
 * @example
 * resize(@JobData({ schema: z.object({ path: z.string() }) }) image: { path: string }) {}
 */
export function JobData(...pipes: ParameterPipe[]): ParameterDecorator;
export function JobData(options: JobDataOptions): ParameterDecorator;
export function JobData(property: string, ...pipes: ParameterPipe[]): ParameterDecorator;
export function JobData(property: string, options: JobDataOptions): ParameterDecorator;
export function JobData(...given: (string | ParameterPipe | JobDataOptions)[]): ParameterDecorator {
  assertCalled(isTarget(given, 'number'), 'JobData', '@JobData()');
  const property = typeof given[0] === 'string' ? given[0] : undefined;
  const details = (property === undefined ? given : given.slice(1)).filter(Boolean);
  return jobParameter(RqParameterType.DATA, (method) => {
    return { property, ...readDetails(details, `@JobData on ${method}`) };
  });
}

/** One object with options, or any number of pipes. */
function readDetails(details: readonly unknown[], where: string): JobParameter {
  const [first] = details;
  if (details.length !== 1 || isPipe(first) || isSchema(first)) {
    return { pipes: readPipes(details, where) };
  }
  return readOptions(first, DATA_OPTIONS, where);
}

const DATA_OPTIONS = optionTable<JobDataOptions>()({
  schema: optional(readSchema),
  pipes: otherwise([], (value, _option, where) => readPipes(value, where)),
});

function readSchema(value: unknown, option: string, where: string | undefined): StandardSchema {
  if (isSchema(value)) return value;
  const problem = "must be a Standard Schema: an object with '~standard', as zod's are";
  throw new InvalidOptionError({ option, problem, value, where });
}

function isSchema(value: unknown): value is StandardSchema {
  // Some libraries' schemas are functions.
  return Boolean((value as StandardSchema | null | undefined)?.['~standard']);
}

function isPipe(value: unknown): value is ParameterPipe {
  return (
    typeof value === 'function' ||
    typeof (value as { transform?: unknown } | undefined)?.transform === 'function'
  );
}

function readPipes(pipes: unknown, where: string | undefined): readonly ParameterPipe[] {
  if (!Array.isArray(pipes)) {
    throw new InvalidOptionError({ option: 'pipes', problem: 'must be a list', where });
  }
  for (const value of pipes as unknown[]) {
    // Those of zod have a method transform() as pipes have, which does something else.
    if (isSchema(value)) {
      throw new InvalidOptionError({ option: 'pipe', problem: problems.schemaAsPipe, where });
    }
    if (!isPipe(value)) {
      const problem = 'must be a class or an object with a method transform()';
      throw new InvalidOptionError({ option: 'pipe', problem, value, where });
    }
  }
  return pipes as ParameterPipe[];
}
