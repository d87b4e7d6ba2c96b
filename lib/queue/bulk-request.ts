import {
  type CancelFrom,
  type JobSelection,
  type PromoteFrom,
  type RequeueFrom,
  type RequeueOptions,
  type SelectableIn,
  readRequeueOptions,
  readSelection,
} from '../job/index.js';
import type { ControlAction, SelectedPlace } from '../store/index.js';

/** What is to be done to many jobs, checked: which jobs, and what. */
export interface BulkRequest {
  readonly selection: readonly string[] | SelectedPlace;
  readonly action: ControlAction;
}

/** @throws InvalidOptionError naming the key */
export function requeueRequest(
  selection: JobSelection<RequeueFrom>,
  options: RequeueOptions | undefined,
  where: string,
): BulkRequest {
  const { finished, ...rest } = readRequeueOptions(options, where);
  const read = readSelection(selection, REQUEUE_FROM, where);
  const isOfFinished = 'in' in read && read.in === 'finished';
  const action = { type: 'requeue', ...rest, finished: finished || isOfFinished } as const;
  return { selection: read, action };
}

/** @throws InvalidOptionError naming the key */
export function bulkRequest(
  type: 'cancel' | 'delete' | 'promote',
  selection: JobSelection,
  where: string,
): BulkRequest {
  const action = type === 'promote' ? { type } : ({ type, dependents: 'end' } as const);
  return { selection: readSelection(selection, PLACES[type], where), action };
}

const REQUEUE_FROM: readonly RequeueFrom[] = ['failed', 'canceled', 'finished'];
const CANCEL_FROM: readonly CancelFrom[] = ['queued', 'scheduled', 'deferred', 'started'];
const PROMOTE_FROM: readonly PromoteFrom[] = ['scheduled', 'deferred'];
const PLACES: Readonly<Record<'cancel' | 'delete' | 'promote', readonly SelectableIn[]>> = {
  cancel: CANCEL_FROM,
  delete: [...CANCEL_FROM, ...REQUEUE_FROM],
  promote: PROMOTE_FROM,
};
