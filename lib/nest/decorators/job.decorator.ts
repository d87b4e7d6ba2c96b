import { assertCalled, assertOlderKind, isTarget } from './called-decorator.js';
import { addJobHandler, type JobHandlerOptions } from '../handlers/job-metadata.js';

/**
 * Makes a provider's method the handler of a queue's jobs. The method stays an ordinary Nest method: guards,
 * interceptors, pipes and filters apply, and its class may be request-scoped. It is called with the job's
 * data and the job, or as its parameter decorators (`@JobData()`, `@CurrentJob()`) say. Several `@Job` on
 * one method make it handle several queues or names.
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
 * }
 */
export function Job(options?: string | JobHandlerOptions): JobDecorator;
export function Job(...given: [(string | JobHandlerOptions)?]): JobDecorator {
  assertCalled(isTarget(given, 'object'), 'Job', "@Job('images')");
  const [options = {}] = given;
  return (target, key, descriptor) => {
    assertOlderKind(key, 'Job');
    const handlerOptions = typeof options === 'string' ? { queue: options } : { ...options };
    addJobHandler(target, key, descriptor.value, handlerOptions);
  };
}

/** A decorator of methods; on anything else it does not compile. */
export type JobDecorator = <Method extends (...args: never[]) => unknown>(
  target: object,
  key: string | symbol,
  descriptor: TypedPropertyDescriptor<Method>,
) => void;
