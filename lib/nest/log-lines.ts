import {
  CALLBACK_EVENTS,
  type CallbackMoment,
  type FailureRecord,
  type JobEvent,
  cleanLine,
  formatDuration,
} from '../job/index.js';
import type { LimitChange } from '../store/index.js';
import type {
  JobRetryingEvent,
  ExecutionEvent,
  JobFailedEvent,
  WorkerEnd,
} from '../worker/index.js';

/**
 * All that an operator reads in the log. The lines stand in one place, so that one thing is always called by one name.
 * No line holds a job's data, a URL or a password. What a line of a `problem` says is worded by its room (troubles.ts).
 */

export const connected = (root: string, waited: number) =>
  `Redis${ofRoot(root)} is reachable, after ${formatDuration(waited)}`;

export const connectionFailed = (root: string, reason: string) =>
  `${reason} The application${ofRoot(root)} does not start (onRedisDown: 'fail').`;

export const connectionOverruled = (root: string, overruled: readonly string[]) =>
  `Redis${ofRoot(root)}: ${overruled.join('; ')}`;

export const tooFewReplicas = (root: string, asked: number, found: number, queue?: string) => {
  const whose = queue === undefined ? '' : ` of queue ${queue}`;
  const has = found === 1 ? '1 replica' : `${found} replicas`;
  return (
    `Redis${ofRoot(root)} has ${has}, but durability${whose} asks for ${asked}: its calls of enqueue reject with ` +
    'NotReplicatedError until there are more. Add replicas, or lower durability.replicas'
  );
};

export const waitingForRedis = (root: string, waited: number, reason: string) =>
  `Waiting for Redis${ofRoot(root)} for ${formatDuration(waited)} now (onRedisDown: 'wait'). ${reason}`;

export const workerStarted = (root: string, queues: readonly string[], concurrency: number) =>
  `Worker${ofRoot(root)} started: ${queuesText(queues)}, concurrency ${concurrency}`;

export const workerStopped = (root: string, queues: readonly string[]) =>
  `Worker${ofRoot(root)} stopped: ${queuesText(queues)}`;

export const workerEnded = (
  root: string,
  queues: readonly string[],
  why: Exclude<WorkerEnd, 'stopped'>,
  left: readonly LeftJobs[],
) => {
  const leftovers = left
    .filter(({ queued, scheduled }) => queued + scheduled > 0)
    .map(({ queue, queued, scheduled }) => `${queue} (${queued} queued, ${scheduled} scheduled)`);
  const rest = leftovers.length > 0 ? `; left in ${leftovers.join(', ')}` : '';
  return `Worker${ofRoot(root)} has ended, ${WHY_ENDED[why]}: ${queuesText(queues)}${rest}`;
};

const WHY_ENDED = {
  drained: 'since nothing was left that could start now (burst)',
  maxJobs: 'since it has run as many jobs as it was to run (maxJobs)',
  idle: 'since nothing was to be done for as long as it was to wait (maxIdle)',
} as const;

/** Jobs of a queue that a worker did not run. */
export interface LeftJobs {
  readonly queue: string;
  readonly queued: number;
  readonly scheduled: number;
}

export const handlerMapped = (root: string, queue: string, name: string, owner: string) =>
  `Mapped {${queue}, ${name}} to ${owner}${ofRoot(root)}`;

export const scheduleFound = (root: string, schedule: ListedSchedule, isFired: boolean) => {
  const { id, queue, name, when } = schedule;
  const time = 'cron' in when ? `${when.cron} (${when.tz})` : `every ${formatDuration(when.every)}`;
  const silent = isFired ? '' : '; this process does not fire it (schedules: false)';
  return `Scheduled {${queue}, ${name}} as ${id}: ${time}${ofRoot(root)}${silent}`;
};

interface ListedSchedule {
  readonly id: string;
  readonly queue: string;
  readonly name: string;
  readonly when: { readonly cron: string; readonly tz: string } | { readonly every: number };
}

export const listenerMapped = (root: string, listener: ListedListener, isDeaf: boolean) => {
  const { types, queue, name, owner, everywhere, callback } = listener;
  const jobs = [
    queue ?? 'all queues',
    ...(name === undefined ? [] : [name]),
    ...(callback === undefined ? [] : [`callback ${callback}`]),
  ].join(', ');
  const where = everywhere ? ', of all processes' : '';
  const deaf = isDeaf
    ? `; it hears nothing: no worker here serves ${queue === undefined ? 'a queue' : `queue ${queue}`} (everywhere: true hears other processes)`
    : '';
  return `Mapped {${jobs}: ${types.join(', ')}${where}} to ${owner}${ofRoot(root)}${deaf}`;
};

interface ListedListener {
  readonly owner: string;
  readonly types: readonly string[];
  readonly queue: string | undefined;
  readonly name: string | undefined;
  readonly everywhere: boolean;
  readonly callback: string | undefined;
}

export const callbackUntaken = (untaken: {
  callback: string;
  on: CallbackMoment;
  queue: string;
  jobId: string;
}) =>
  `Job ${short(untaken.jobId)} (queue ${untaken.queue}) has the Python callback ${short(untaken.callback)} (on_${untaken.on}), which no method here takes over: nothing is called for it, nor for others like it. ${takeOver(untaken.on)}`;

export const moreUntaken = (more: { callback: string; on: CallbackMoment; count: number }) =>
  `The Python callback ${short(more.callback)} (on_${more.on}) was due for ${more.count} more jobs, and no method here takes it over`;

const takeOver = (on: CallbackMoment) => {
  const [event] = CALLBACK_EVENTS[on];
  return `Mark a method @OnJob('${event}', { callback: '...' }) with its name, or have such jobs run by Python's workers`;
};

export const limitsChanged = ({
  queue,
  handler,
  before,
  after,
}: LimitChange & { readonly queue: string }) =>
  `Limits of ${handler === undefined ? 'all jobs' : short(handler)} (queue ${queue}) are now ${limitsText(after)}; they were ${limitsText(before)}`;

function limitsText({ total, perKey, rate, keyRate }: LimitChange['after']): string {
  const texts = [
    total === undefined ? [] : [`total ${total}`],
    perKey === undefined ? [] : [`${perKey} per key`],
    rate ? [`${rate.max} in ${formatDuration(rate.per)}`] : [],
    keyRate ? [`${keyRate.max} in ${formatDuration(keyRate.per)} per key`] : [],
  ].flat();
  return texts.length === 0 ? 'none' : texts.join(', ');
}

export const methodReplaced = (decorator: string, owner: string) =>
  `${decorator} on ${owner} has no effect: a decorator above it has replaced the method by something that cannot be called. Remove that decorator, or write it below ${decorator}`;

export const unprovided = (found: {
  type: string;
  methods: readonly string[];
  queues: readonly string[];
}) =>
  `No module provides ${found.type}, so that nothing runs its @Job methods (${found.methods.join(', ')}; ${queuesText(found.queues)}): add it to the providers of a module, or set worker: false if other processes run these jobs`;

export const noHandlers = (root: string, queues: readonly string[]) =>
  `No @Job method was found, so that nothing here runs jobs${ofRoot(root)} (${queuesText(queues)}): add the class with the methods to the providers of a module, or set worker: false if other processes run these jobs`;

export const unknownName = (
  event: ExecutionEvent & { readonly delay: number },
  known: readonly string[],
) =>
  `${jobText(event)}: no handler has this name, so that it is put back for ${formatDuration(event.delay)}, again and again (unknownJobs: 'release'). Known here: ${known.join(', ') || 'none'}. Start the version that handles it, or correct the name where it is enqueued and delete the job`;

export const stopCommanded = (root: string, event: { worker: string; queues: readonly string[] }) =>
  `Worker${ofRoot(root)} ${event.worker} (${queuesText(event.queues)}) stops, since RQ's command "shutdown" was sent to it: it takes no more jobs until this application is started again`;

export const jobRetrying = (event: JobRetryingEvent) => {
  const attempts = event.attempt + 1 + event.retriesLeft;
  const next = event.delay > 0 ? `runs again in ${formatDuration(event.delay)}` : 'runs again now';
  return `${jobText(event)}: attempt ${event.attempt} of ${attempts} failed: ${failureText(event)}; ${next}`;
};

export const jobFailed = (event: JobFailedEvent) =>
  `${jobText(event)}: attempt ${event.attempt} failed: ${failureText(event)}; it does not run again: ${event.why}`;

export const moreFailures = (
  about: { queue: string; name: string; failure: { name: string; message: string } },
  count: number,
) =>
  `${count} more failures of ${short(about.name)} (queue ${about.queue}) within a minute, such as ${failureText(about)}`;

export const jobCanceled = (event: ExecutionEvent & { reason: string }) =>
  `${jobText(event)}: canceled in attempt ${event.attempt}: ${short(event.reason)}`;

export const jobLost = (event: ExecutionEvent) =>
  `${jobText(event)}: lost its lease in attempt ${event.attempt}; what the handler did there is not recorded, the job runs or ran elsewhere`;

export const jobRecovered = (event: {
  queue: string;
  name: string;
  jobId: string;
  outcome: 'requeued' | 'failed';
}) => {
  const { queue, name, jobId, outcome } = event;
  const job = name === '' ? `Job ${short(jobId)} (queue ${queue})` : jobText(event);
  const next =
    outcome === 'requeued'
      ? 'it runs again'
      : 'it failed, since that has happened too often (maxCrashes). Requeue it when the cause is known';
  return `${job} was running when its worker died: ${next}`;
};

export const givenBack = ({ queue, jobs, count }: GivenBack) => {
  const shown = jobs.map(({ name, jobId }) => `${short(name)} ${short(jobId)}`).join(', ');
  const more = count > jobs.length ? ', ...' : '';
  return `${count} ${count === 1 ? 'job' : 'jobs'} given back to queue ${queue}, not done within shutdownTimeout: ${shown}${more}`;
};

/** Jobs that a shutdown has cut off. */
export interface GivenBack {
  readonly queue: string;
  /** The first of them. */
  readonly jobs: readonly { readonly name: string; readonly jobId: string }[];
  readonly count: number;
}

export const problem = (event: { message: string; error?: unknown }) => {
  const { error } = event;
  const reason =
    error instanceof Error ? `: ${short(error.message.slice(0, 500).replace(URLS, '<url>'))}` : '';
  return sentence(event.message) + reason;
};

export const queuesNotServed = (queues: readonly string[], why: string) =>
  `${sentence(someQueues(queues))} cannot be served: ${short(why.replace(URLS, '<url>'))}`;

export const queuesServedAgain = (queues: readonly string[], lasted: string) =>
  `${sentence(someQueues(queues))} ${queues.length === 1 ? 'is' : 'are'} served again, after ${lasted}`;

export const problemSolved = (event: { message: string }) => sentence(event.message);

export const listenerFailed = (listener: string, event: JobEvent, failure: FailureRecord) => {
  const job = `${short(event.name) || 'job'} (queue ${event.queue}, id ${short(event.jobId)})`;
  return `${listener} failed at event ${event.type} of ${job}: ${failureText({ failure })}`;
};

export const alertBegan = (root: string, alert: ListedAlert) =>
  `Alert${ofRoot(root)} (${alert.severity}): ${short(alert.sentence)}`;

export const alertEnded = (root: string, alert: ListedAlert) =>
  `Alert${ofRoot(root)} is over: ${short(alert.sentence)}`;

interface ListedAlert {
  readonly severity: string;
  readonly sentence: string;
}

export const alertsNotWatched = (root: string) => `alerts${ofRoot(root)} cannot be looked for`;

export const alertsWatchedAgain = (root: string) => `Alerts${ofRoot(root)} are looked for again`;

export const alertListenerFailed = (listener: string, alert: ListedAlert, failure: FailureRecord) =>
  `${listener} failed at an alert (${short(alert.sentence)}): ${failureText({ failure })}`;

export const alertListenerMapped = (root: string, owner: string) =>
  `Mapped alerts${ofRoot(root)} to ${owner}`;

export const jobDropped = (event: { queue: string; jobId: string; reason: string }) =>
  `Job ${short(event.jobId)} (queue ${event.queue}) was dropped: ${short(event.reason)}`;

export const moreDropped = (more: { queue: string; reason: string; count: number }) =>
  `${more.count} more jobs of queue ${more.queue} were dropped: ${short(more.reason)}`;

export const ofRoot = (root: string) => (root === 'default' ? '' : ` of root "${root}"`);

const queuesText = (queues: readonly string[]) =>
  `${queues.length === 1 ? 'queue' : 'queues'} ${queues.join(', ')}`;

const someQueues = (queues: readonly string[]) => {
  const more = queues.length - MOST_QUEUES;
  return queuesText(queues.slice(0, MOST_QUEUES)) + (more > 0 ? ` and ${more} more` : '');
};

const MOST_QUEUES = 20;

const jobText = (event: Pick<ExecutionEvent, 'queue' | 'name' | 'jobId'>) =>
  `Job ${short(event.name)} (queue ${event.queue}, id ${short(event.jobId)})`;

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const URLS = /[a-z][a-z0-9+.-]*:\/\/\S+/gi;

/** Names and ids come out of Redis, where anybody may have put them, of any length. */
const short = (text: string) => cleanLine(text, 500);

/** The end of a sentence, or what stands before another part of one: our own errors end with a full stop. */
const failureText = ({ failure }: { failure: { name: string; message: string } }) =>
  failure.message ? `${failure.name}: ${failure.message.replace(/\.$/, '')}` : failure.name;
