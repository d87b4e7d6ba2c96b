import type { Attributes } from '@opentelemetry/api';
import type {
  EnqueueCall,
  FigureDefinition,
  ObservedFigure,
  ProcessedBatch,
  ProcessedJob,
} from '../index.js';

/**
 * Our words in those of OpenTelemetry's semantic conventions for messaging, in one place: they are still in development
 * there. Never a job's data.
 */

/** Which conventions these are. */
export const SCHEMA_URL = 'https://opentelemetry.io/schemas/1.44.0';

/** Of a call that enqueues. */
export function sendAttributes({ queue, name, count }: EnqueueCall): Attributes {
  return {
    ...common(queue, 'enqueue', 'send'),
    [JOB]: name,
    ...(count > 1 ? { 'messaging.batch.message_count': count } : undefined),
  };
}

/** Of a run of a handler. */
export function processAttributes(job: ProcessedJob): Attributes {
  const { queue, name, id, attempt, retriesLeft, waitMs, worker } = job;
  return {
    ...common(queue, 'process', 'process'),
    'messaging.message.id': id,
    [JOB]: name,
    'messaging.rq.attempt': attempt,
    ...(retriesLeft === undefined ? undefined : { 'messaging.rq.retries_left': retriesLeft }),
    // Seconds, as OpenTelemetry has all times.
    ...(waitMs === undefined ? undefined : { 'messaging.rq.wait': waitMs / 1000 }),
    ...(worker === undefined ? undefined : { 'messaging.client.id': worker }),
  };
}

/** Of a run of a handler that takes several jobs. */
export function batchAttributes({ queue, name, jobs, worker }: ProcessedBatch): Attributes {
  return {
    ...common(queue, 'process', 'process'),
    [JOB]: name,
    'messaging.batch.message_count': jobs.length,
    ...(worker === undefined ? undefined : { 'messaging.client.id': worker }),
  };
}

/** Of the link from the span of a batch to the one that enqueued one of its jobs. */
export function linkAttributes({ id, attempt }: ProcessedJob): Attributes {
  return { 'messaging.message.id': id, 'messaging.rq.attempt': attempt };
}

/** Of a metric: few values, never an id. */
export function metricAttributes(
  { queue, name }: { readonly queue: string; readonly name: string },
  operation: 'enqueue' | 'process',
  errorType: string | undefined,
): Attributes {
  return {
    'messaging.system': SYSTEM,
    'messaging.operation.name': operation,
    'messaging.destination.name': queue,
    [JOB]: name,
    ...(errorType === undefined ? undefined : { 'error.type': errorType }),
  };
}

export const OUTCOME = 'messaging.rq.outcome';
/** Of a batch: how many of its jobs failed. */
export const FAILED = 'messaging.rq.failed_count';

/** What an error is called: the name of its class. */
export function errorTypeOf(error: unknown): string {
  return error instanceof Error ? error.name.slice(0, 100) : '_OTHER';
}

const JOB = 'messaging.rq.job';
/** None is registered for RQ. */
const SYSTEM = 'rq';

function common(queue: string, name: string, type: string): Attributes {
  return {
    'messaging.system': SYSTEM,
    'messaging.operation.name': name,
    'messaging.operation.type': type,
    'messaging.destination.name': queue,
  };
}

/**
 * What a figure is called here: `rq_retrying_jobs` is `messaging.rq.retrying_jobs`. Undefined: the conventions have a
 * metric of their own for it, which is counted as it happens.
 */
export function observedName({ name, type }: FigureDefinition): string | undefined {
  if (type === 'histogram' || OTHERWISE.has(name)) return undefined;
  return name.replace(/^rq_/, 'messaging.rq.').replace(/_(total|seconds)$/, '');
}

export function observedUnit({ name }: FigureDefinition): string {
  return name.endsWith('_seconds') ? 's' : '1';
}

/** The labels of a figure in the words of the conventions. */
export function observedAttributes({ labels }: ObservedFigure): Attributes {
  return Object.fromEntries(
    Object.entries(labels)
      .filter(([, value]) => value !== '')
      .map(([label, value]) => [
        label === 'queue' ? 'messaging.destination.name' : `messaging.rq.${label}`,
        value,
      ]),
  );
}

const OTHERWISE: ReadonlySet<string> = new Set([
  'rq_jobs_enqueued_total',
  'rq_job_attempts_total',
  'rq_build_info',
]);
