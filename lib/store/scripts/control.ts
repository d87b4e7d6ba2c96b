import { retryPolicy } from '../../job/index.js';
import { DEFAULT_FAILURE_TTL } from '../../job/rq-defaults.js';
import { Script, type ScriptValue } from '../../redis/script.js';
import { ownRetry } from '../../wire/fields.js';
import type { Keyspace } from '../../wire/keyspace.js';
import type { ControlAction, ControlReply, SelectedPlace } from '../job-store.js';
import { control } from './compiled.js';

/** `control.lua` as types: the one place that knows its arguments and its reply. */
export const CONTROL = new Script(control);

/** Keeps one script below 5 ms. */
export const CONTROLLED_AT_ONCE = 500;

/** Some ids, or a part of a registry or of the queue. */
export interface ControlSlice {
  readonly ids?: readonly string[];
  readonly from?: SelectedPlace;
  /** Where the slice begins; of ids: where in the queue the first is probably found. */
  readonly offset?: number;
  /** The entry that was the last to stay of the slice before. */
  readonly behind?: string;
  /** How many jobs to change at most. */
  readonly most?: number;
}

export interface ControlSliceReply {
  readonly looked: number;
  /** Entries in the registry before. */
  readonly total: number;
  /** How many of those looked at are still there. */
  readonly stay: number;
  /** The last of them; empty: none. */
  readonly behind: string;
  readonly answers: Readonly<Partial<Record<ControlAnswer, number>>>;
  /** The status that the last job had. */
  readonly status: string;
  /** Jobs that are left, since only the beginning of their data says their name. */
  readonly unread: readonly { readonly id: string; readonly data: Buffer }[];
  /** Jobs that wait for them are still to be told. */
  readonly leftOver: boolean;
}

export type ControlAnswer =
  ControlReply['answer'] | 'running' | 'passed' | 'unread' | 'duplicate' | 'kept';

export function encodeControl(
  { prefix, channels }: Keyspace,
  queue: string,
  action: ControlAction,
  slice: ControlSlice,
): ScriptValue[] {
  const { ids = [], from, offset = 0, behind = '', most = CONTROLLED_AT_ONCE } = slice;
  const values = CONTROL.values({
    prefix,
    channels,
    queue,
    action: action.type,
    argument: argumentOf(action),
    finished: action.type === 'requeue' && action.finished ? '1' : '',
    ...retriesOf(action),
    failure_ttl: DEFAULT_FAILURE_TTL,
    keep: action.type === 'delete' ? (action.keep ?? '') : '',
    place: from?.in ?? '',
    offset,
    behind,
    most,
    name: from?.name === undefined ? '' : JSON.stringify(from.name),
    after: from?.after ?? '',
    after_date: dateText(from?.after),
    before: from?.before ?? '',
    before_date: dateText(from?.before),
    dependents: 'dependents' in action ? action.dependents : 'end',
  });
  for (const id of ids) values.push(id);
  return values;
}

export function decodeControl(reply: unknown): ControlSliceReply {
  const [looked, total, stay, behind, answered, status, left, leftOver] = reply as [
    ...[number, number, number, Buffer],
    (Buffer | number)[],
    Buffer,
    Buffer[],
    Buffer,
  ];
  const answers: Partial<Record<ControlAnswer, number>> = {};
  for (let at = 0; at + 1 < answered.length; at += 2) {
    answers[String(answered[at]) as ControlAnswer] = Number(answered[at + 1]);
  }
  const unread: { id: string; data: Buffer }[] = [];
  for (let at = 0; at + 1 < left.length; at += 2) {
    unread.push({ id: String(left[at]), data: left[at + 1] as Buffer });
  }
  return {
    looked: Number(looked),
    total: Number(total),
    stay: Number(stay),
    behind: String(behind),
    answers,
    status: String(status),
    unread,
    leftOver: leftOver.length > 0,
  };
}

function argumentOf(action: ControlAction): string {
  if (action.type === 'meta') return action.json;
  return action.type === 'requeue' && action.front ? 'front' : 'back';
}

/** New retries; and what holds for a job that has neither intervals of its own nor taken its handler's over. */
function retriesOf(action: ControlAction) {
  if (action.type !== 'requeue' || action.retries === undefined) {
    return { retries: '', intervals: '', own_retry: '' };
  }
  const { retries } = action;
  const standard = retryPolicy({ max: Math.max(1, retries === 'fresh' ? 1 : retries) });
  return {
    retries,
    intervals: JSON.stringify(standard.intervals),
    own_retry: ownRetry(standard) || '{}',
  };
}

function dateText(milliseconds: number | undefined): string {
  return milliseconds === undefined ? '' : new Date(milliseconds).toISOString();
}
