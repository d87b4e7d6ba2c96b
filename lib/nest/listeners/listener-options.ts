import { assertJobName, assertQueueName, checkOptions, readFlag } from '../../job/index.js';
import type { JobListenerOptions } from './listener-metadata.js';
import { DEFAULT_ROOT } from '../tokens.js';

/** What holds for a listener in the end. */
export interface ListenerOptions {
  readonly root: string;
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly everywhere: boolean;
}

/**
 * @param where the method, for errors: `@OnJob on Alerts.page in AlertsModule`
 * @throws InvalidOptionError
 */
export function readListenerOptions(options: JobListenerOptions, where: string): ListenerOptions {
  checkOptions(options, KEYS, '', where);
  const { root = DEFAULT_ROOT, queue, name } = options;
  if (queue !== undefined) assertQueueName(queue, where);
  if (name !== undefined) assertJobName(name, where);
  return { root, queue, name, everywhere: readFlag(options.everywhere, 'everywhere', where) };
}

const KEYS: ReadonlySet<string> = new Set([
  'queue',
  'name',
  'root',
  'everywhere',
] satisfies (keyof JobListenerOptions)[]);
