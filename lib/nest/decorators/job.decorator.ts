import type { JsonInput, NamesJobs } from '../../queue/index.js';
import type { RunningJob } from '../../worker/index.js';
import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';
import { addJobHandler, type JobHandlerOptions } from '../handlers/job-metadata.js';

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
export function Job<
  const Name extends string | undefined = undefined,
  Data = unknown,
  const Size extends number = never,
>(options?: string | JobHandlerOptions<Name, Data, Size>): JobDecorator<Name, Data, Size>;
export function Job<Name extends string | undefined, Data, Size extends number>(
  ...given: [(string | JobHandlerOptions<Name, Data, Size>)?]
): JobDecorator<Name, Data, Size> {
  assertCalled(isTarget(given, 'object'), 'Job', "@Job('images')");
  const [options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'Job');
    const handlerOptions = typeof options === 'string' ? { queue: options } : { ...options };
    addJobHandler(target, key, descriptor.value, handlerOptions);
  };
}

/**
 * A decorator of methods; on anything else it does not compile. Nor does it on one whose class has another name for its
 * jobs, whose data is not what the `key` function takes, or, for batches (their `Size` is a number), is no list.
 */
export type JobDecorator<
  Name extends string | undefined = undefined,
  Data = unknown,
  Size extends number = never,
> = <
  Class extends object,
  Key extends string | symbol,
  Method extends (...args: never[]) => unknown,
>(
  target: Class & NamedAs<NoInfer<Class>, NoInfer<Key>, Name>,
  key: Key,
  descriptor: TypedPropertyDescriptor<Method & Suits<Method, Data, IsOfBatches<Name, Size>>>,
) => void;

/** Options that are not written out (a variable of type `JobHandlerOptions`) do not tell whether they have a `batch`. */
type IsOfBatches<Name, Size> = [Size] extends [never]
  ? false
  : number extends Size
    ? string extends Name
      ? unknown
      : true
    : true;

type Suits<Method, KeyData, IsBatch> = Method extends (...parameters: infer Parameters) => unknown
  ? IsBatch extends true
    ? Parameters extends []
      ? unknown
      : Parameters[0] extends readonly (infer Data)[]
        ? TakenByKey<Data, KeyData>
        : { readonly 'a handler of batches takes the list of the data': never }
    : unknown extends IsBatch
      ? unknown
      : TakenByKey<DataOf<Parameters>, KeyData>
  : unknown;

/** The first parameter, or what the job has where the method takes only that. */
type DataOf<Parameters extends readonly unknown[]> = Parameters extends []
  ? undefined
  : 0 extends 1 & Parameters[0]
    ? Parameters[0]
    : [Parameters[0]] extends [RunningJob<infer Data>]
      ? Data
      : Parameters[0];

/** The function is called with what is given to `enqueue`. */
type TakenByKey<Data, KeyData> = [KeyData] extends [never]
  ? unknown
  : 0 extends 1 & Data
    ? unknown
    : [Data] extends [KeyData]
      ? unknown
      : [JsonInput<Data>] extends [KeyData]
        ? unknown
        : { readonly 'its key function takes other data than the handler': never };

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
