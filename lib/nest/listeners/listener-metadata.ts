import { CALLBACK_EVENTS, JOB_EVENT_TYPES, type JobEventType } from '../../job/index.js';
import { markMethod, markedMethods, placeOf } from '../discovery/method-marks.js';

/**
 * What `@OnJob` leaves on a method, and the one place that writes and reads it. The key is a registered symbol,
 * so that two copies of the package see each other's listeners.
 */
const LISTENER_METADATA = Symbol.for('nestjs-rq:on-job');

/** Which events of which jobs a method hears. */
export interface JobListenerOptions {
  /** Only of jobs of this queue; default: of all queues. */
  queue?: string;
  /** Only of jobs of this name; default: of all. */
  name?: string;
  /** The `name` of the `RqModule.forRoot` the queues belong to; default: the one without a name. */
  root?: string;
  /**
   * `false` (default): hears what this process's own worker did, so that of any number of processes one is told of an
   * event. `true`: hears the events of all processes, through Redis; each process that listens is told of each. It works
   * without a worker (`worker: false`), and may miss events while the link to Redis is cut.
   */
  everywhere?: boolean;
  /**
   * Takes over a callback of Python (`on_success`, `on_failure`, `on_stopped`): only jobs are heard that have this name as
   * their callback for such an event. With `finished` (on_success), `failed` and `retrying` (on_failure), `canceled`
   * (on_stopped). Not together with `everywhere`.
   */
  callback?: string;
}

/** A method that hears events. */
export interface JobListener {
  readonly types: readonly JobEventType[];
  readonly options: JobListenerOptions;
}

/** Adds a listener to those that the method has. */
export function addJobListener(
  target: object,
  key: string | symbol,
  method: unknown,
  listener: JobListener,
): void {
  const place = placeOf('@OnJob', target, key);
  const unknown = listener.types.find((type) => !JOB_EVENT_TYPES.includes(type));
  if (unknown !== undefined || listener.types.length === 0) {
    const problem = unknown === undefined ? 'it names no event' : `there is no event "${unknown}"`;
    throw new TypeError(`${place}: ${problem}. There are: ${JOB_EVENT_TYPES.join(', ')}`);
  }
  if (listener.options.callback !== undefined) {
    const other = listener.types.find((type) => !EVENTS_OF_CALLBACKS.includes(type));
    if (other !== undefined) {
      const problem = `RQ has no callback for the event "${other}"`;
      throw new TypeError(`${place}: ${problem}. There are: ${EVENTS_OF_CALLBACKS.join(', ')}`);
    }
  }
  markMethod(LISTENER_METADATA, place, target, key, method, listener);
}

const EVENTS_OF_CALLBACKS: readonly JobEventType[] = Object.values(CALLBACK_EVENTS).flat();

/** The methods of a class that `@OnJob` made listeners, by name, with what each hears. */
export function jobListenersOf(prototype: object): Map<string, JobListener[]> {
  return markedMethods(LISTENER_METADATA, prototype);
}
