import { JOB_EVENT_TYPES, type JobEvent, type JobEventType, isObject } from '../job/index.js';
import { parsePythonJson } from './python-json.js';

/**
 * Events on their way through Redis: JSON on a channel of the queue's own. They are made here and, where no worker has
 * a hand in it, in include/events.lua. Anybody can publish anything there: what is not understood is undefined.
 */
export function encodeEvent(event: JobEvent): string {
  // The channel tells the queue.
  return JSON.stringify({ ...event, queue: undefined, at: event.at.getTime() });
}

export function decodeEvent(queue: string, message: string): JobEvent | undefined {
  let event: unknown;
  try {
    event = parsePythonJson(message);
  } catch {
    return undefined;
  }
  if (!isObject(event)) return undefined;
  const { type, jobId, name, attempt, at } = event;
  if (typeof jobId !== 'string' || typeof name !== 'string' || !Number.isFinite(attempt)) {
    return undefined;
  }
  if (typeof at !== 'number' || Number.isNaN(new Date(at).getTime()) || !isType(type)) {
    return undefined;
  }
  const common = { queue, jobId, name, attempt: attempt as number, at: new Date(at) };
  switch (type) {
    case 'started':
    case 'lost':
      return { type, ...common };
    case 'progress':
      return { type, ...common, progress: event['progress'] };
    case 'retrying':
      return {
        type,
        ...common,
        error: errorIn(event['error']),
        delay: numberIn(event['delay']),
        retriesLeft: numberIn(event['retriesLeft']),
      };
    case 'finished':
      return {
        type,
        ...common,
        result: event['result'],
        duration: numberIn(event['duration']),
        repeatsLeft: numberIn(event['repeatsLeft']),
      };
    case 'exhausted':
    case 'failed':
      return { type, ...common, error: errorIn(event['error']) };
    case 'canceled':
      return { type, ...common, reason: textIn(event['reason']) };
  }
}

function isType(type: unknown): type is JobEventType {
  return JOB_EVENT_TYPES.includes(type as JobEventType);
}

function errorIn(value: unknown): { name: string; message: string } {
  const { name, message } = isObject(value) ? value : { name: '', message: '' };
  return { name: textIn(name) || 'Error', message: textIn(message) };
}

function textIn(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberIn(value: unknown): number {
  return Number.isFinite(value) ? (value as number) : 0;
}
