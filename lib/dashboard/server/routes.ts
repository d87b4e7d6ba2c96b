import * as actions from './actions.js';
import type { Act } from './audited.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { failures } from './failures-page.js';
import { history } from './histories.js';
import { enqueueAnew, enqueueNew, jobAction } from './job-actions.js';
import { jobPage } from './job-page.js';
import type { RqPermission } from './permissions.js';
import * as reads from './reads.js';

/**
 * Every route of the dashboard and what is needed for it. A route that is not here does not exist, on any server; the
 * permission is asked for the queue that the request names, and again for that of a job.
 */
export type Route =
  | {
      readonly kind: 'page' | 'asset' | 'live' | 'export';
      readonly path: string;
      readonly needs: RqPermission | 'nothing';
    }
  | {
      readonly kind: 'read';
      readonly path: string;
      readonly needs: RqPermission;
      readonly read: (call: Call, context: Context) => Promise<unknown>;
    }
  | {
      readonly kind: 'act';
      readonly path: string;
      readonly needs: RqPermission;
      readonly act: Act;
      /** The queue is that of the job or operation: asked for when it is known. */
      readonly late?: boolean;
    };

const page = (path: string, needs: RqPermission = 'view'): Route => ({ kind: 'page', path, needs });
const read = (
  path: string,
  needs: RqPermission,
  get: (call: Call, context: Context) => Promise<unknown>,
): Route => ({ kind: 'read', path: `api/${path}`, needs, read: get });
const act = (path: string, needs: RqPermission, run: Act): Route => ({
  kind: 'act',
  path: `api/${path}`,
  needs,
  act: run,
});
/** An action on something whose queue is found out first. */
const late = (path: string, needs: RqPermission, run: Act): Route => ({
  kind: 'act',
  path: `api/${path}`,
  needs,
  act: run,
  late: true,
});

export const ROUTES: readonly Route[] = [
  page(''),
  page('queues'),
  page('queues/:queue'),
  page('jobs'),
  page('jobs/:id'),
  page('failures'),
  page('failures/:cause'),
  page('schedules'),
  page('workers'),
  page('metrics'),
  page('audit', 'audit'),
  page('redis'),
  // Program and looks are the same for all, and hold nothing of anybody.
  { kind: 'asset', path: 'assets/:file', needs: 'nothing' },
  { kind: 'live', path: 'api/live', needs: 'view' },
  { kind: 'export', path: 'api/export', needs: 'export' },
  read('overview', 'view', reads.overview),
  read('queue', 'view', reads.queueDetail),
  read('history', 'view', history),
  read('list', 'view', reads.list),
  read('search', 'view', reads.searchJobs),
  read('job', 'view', jobPage),
  read('failures', 'view', failures),
  read('schedules', 'view', reads.schedules),
  read('audit', 'audit', reads.audit),
  read('redis', 'view', reads.redis),
  act('queue/pause', 'pause', actions.pauseQueue),
  act('queue/resume', 'pause', actions.resumeQueue),
  act('queue/empty', 'empty', actions.emptyQueue),
  act('queue/limits', 'limit', actions.setLimits),
  act('queue/enqueue', 'enqueue', enqueueNew),
  act('jobs/requeue', 'requeue', actions.bulk('requeue')),
  act('jobs/promote', 'requeue', actions.bulk('promote')),
  act('jobs/cancel', 'cancel', actions.bulk('cancel')),
  act('jobs/delete', 'delete', actions.bulk('delete')),
  late('job/requeue', 'requeue', jobAction('requeue')),
  late('job/promote', 'requeue', jobAction('promote')),
  late('job/cancel', 'cancel', jobAction('cancel')),
  late('job/stop', 'stop', jobAction('stop')),
  late('job/delete', 'delete', jobAction('delete')),
  late('job/anew', 'edit', enqueueAnew),
  act('operation/cancel', 'view', actions.cancelOperation),
  late('operation/undo', 'delete', actions.undoOperation),
  act('schedule', 'schedule', actions.changeSchedule),
  act('worker/end', 'worker', actions.endWorker),
  late('alert/mute', 'mute', actions.muteAlert),
  act('suspend', 'suspend', actions.suspendAll),
];

/** The names behind colons, as they stand in an address. */
export function match(path: string, address: string): Record<string, string> | undefined {
  const parts = path.split('/');
  const given = address.split('/');
  if (parts.length !== given.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const value = given[index] as string;
    if (!part.startsWith(':')) {
      if (part !== value) return undefined;
      continue;
    }
    try {
      params[part.slice(1)] = decodeURIComponent(value);
    } catch {
      return undefined;
    }
  }
  return params;
}
