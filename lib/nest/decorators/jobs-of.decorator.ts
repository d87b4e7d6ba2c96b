import { assertCalled } from './called-decorator.js';
import { type JobsOfOptions, setJobsOf } from '../handlers/job-metadata.js';

/**
 * Says of all `@Job` methods of a class what they share: the queue, and options. What a `@Job` says itself wins, key by
 * key; a `retry` is taken as a whole. Subclasses inherit it, or have a `@JobsOf` of their own in its place.
 *
 * @param queue the queue whose jobs the methods handle
 * @param options default: none
 *
 * @example
 * @JobsOf('images', { retry: { max: 3, interval: 5 }, timeout: '30s' })
 * export class ImageJobs {
 *   @Job()
 *   async resize(data: ImageDto) {}
 *
 *   @Job({ timeout: '5m' })
 *   async scan(data: ImageDto) {}
 * }
 */
export function JobsOf(queue: string, options: JobsOfOptions = {}): JobsOfDecorator {
  assertCalled(typeof queue === 'function', 'JobsOf', "@JobsOf('images')");
  return (type) => setJobsOf(type, { queue, options });
}

/** A decorator of classes; on anything else it does not compile. */
export type JobsOfDecorator = <Class extends abstract new (...args: never[]) => object>(
  type: Class,
) => void;
