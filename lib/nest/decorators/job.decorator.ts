import type { NamesJobs } from '../../queue/index.js';
import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';
import {
  addJobHandler,
  type JobBatchOptions,
  type JobHandlerOptions,
} from '../handlers/job-metadata.js';

/**
 * Makes a provider's method the handler of a queue's jobs. The method stays an ordinary Nest method: guards,
 * interceptors, pipes and filters apply, and its class may be request-scoped. It is called with the job's
 * data and the job, or as its parameter decorators (`@JobData()`, `@CurrentJob()`) say. Several `@Job` on
 * one method make it handle several queues or names.
 *
 * Jobs with a `name` that is not the method's are known to `Queue<ImageJobs>` by what the class declares, and do not
 * compile without it: `declare readonly jobNames: { 'images.scan': 'scan' }`. A name that is not a literal (of type
 * `string`) is not checked.
 *
 * @param options the queue, or an object with it and the handler's options; may be left out where `@JobsOf` on the
 * class names the queue
 * @throws TypeError when it does not stand on an instance method with an ordinary name, or has no parentheses
 *
 * @example
 * @Injectable()
 * export class ImageJobs {
 *   @Job({ queue: 'images', retry: { max: 3, interval: 5 }, timeout: '30s' })
 *   async processImage(data: ImageDto, job: RunningJob) {}
 *
 *   @Job({ queue: 'images', batch: { size: 100, wait: '1s' } })
 *   async index(data: ImageDto[], jobs: BatchedJob<ImageDto>[]) {}
 * }
 */
export function Job<const Name extends string | undefined = undefined>(
  options: JobHandlerOptions<Name> & { batch: JobBatchOptions },
): BatchJobDecorator<Name>;
export function Job<const Name extends string | undefined = undefined>(
  options?: string | JobHandlerOptions<Name>,
): JobDecorator<Name>;
export function Job<Name extends string | undefined>(
  ...given: [(string | JobHandlerOptions<Name>)?]
): JobDecorator<Name> {
  assertCalled(isTarget(given, 'object'), 'Job', "@Job('images')");
  const [options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'Job');
    const handlerOptions = typeof options === 'string' ? { queue: options } : { ...options };
    addJobHandler(target, key, descriptor.value, handlerOptions);
  };
}

/**
 * A decorator of methods; on anything else it does not compile, nor on one whose class has another name for its jobs.
 */
export type JobDecorator<Name extends string | undefined = undefined> = <
  Class extends object,
  Key extends string | symbol,
  Method extends (...args: never[]) => unknown,
>(
  target: Class & NamedAs<NoInfer<Class>, NoInfer<Key>, Name>,
  key: Key,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;

/** The same for `batch`: the method takes lists. */
export type BatchJobDecorator<Name extends string | undefined = undefined> = <
  Class extends object,
  Key extends string | symbol,
  Method extends (...args: never[]) => unknown,
>(
  target: Class & NamedAs<NoInfer<Class>, NoInfer<Key>, Name>,
  key: Key,
  descriptor: TypedPropertyDescriptor<Method & TakesLists<Method>>,
) => void;

type TakesLists<Method> = Method extends (data: infer Data, ...rest: never[]) => unknown
  ? Data extends readonly unknown[]
    ? unknown
    : { readonly 'a handler of batches takes the list of the data': never }
  : unknown;

/** What the class must be like, so that the job's name is the one that `Queue<Class>` knows. */
type NamedAs<
  Class,
  Key extends string | symbol,
  Name extends string | undefined,
> = string extends Name
  ? unknown
  : JobsName<Key, Name> extends Key
    ? IsRenamed<Class, Key> extends true
      ? NamesJobs<{ [Own in Key]: Key }>
      : unknown
    : NamesJobs<{ [Given in JobsName<Key, Name>]: Key }>;

type JobsName<Key extends string | symbol, Name extends string | undefined> =
  Extract<Name, string> | (undefined extends Name ? Key : never);

type IsRenamed<Class, Key> =
  Class extends NamesJobs<infer Names> ? (Key extends Names[keyof Names] ? true : false) : false;
