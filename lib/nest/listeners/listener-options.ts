import {
  InvalidOptionError,
  flag,
  jobName,
  optionTable,
  optional,
  otherwise,
  queueName,
  readDottedName,
  readOptions,
  unchecked,
} from '../../job/index.js';
import type { JobListenerOptions } from './listener-metadata.js';
import { DEFAULT_ROOT } from '../tokens.js';

/** What holds for a listener in the end. */
export interface ListenerOptions {
  readonly root: string;
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly everywhere: boolean;
  readonly callback: string | undefined;
}

/**
 * @param where the method, for errors: `@OnJob on Alerts.page in AlertsModule`
 * @throws InvalidOptionError
 */
export function readListenerOptions(options: JobListenerOptions, where: string): ListenerOptions {
  const read = readOptions(options, LISTENER_OPTIONS, where);
  if (read.callback !== undefined && read.everywhere) {
    const problem =
      'and everywhere exclude each other: only the process that ran a job knows its callbacks';
    throw new InvalidOptionError({ option: 'callback', problem, where });
  }
  return read;
}

const LISTENER_OPTIONS = optionTable<JobListenerOptions>()({
  queue: optional(queueName),
  name: optional(jobName),
  root: otherwise(DEFAULT_ROOT, unchecked<string>()),
  everywhere: flag,
  callback: readDottedName,
});
