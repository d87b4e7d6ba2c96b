import type { OperationRequest, StoredSelection } from '../../observe/index.js';
import type { OperationAnswer, Place } from './answers.js';
import type { Acted } from './audited.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { operationAnswer } from './job-answers.js';
import { Refused } from './problems.js';
import { PLACES } from './search-words.js';

/** What can be done to queues, workers, schedules and many jobs. What one job can be told is in job-actions.ts. */

export async function pauseQueue({ body }: Call, { inspector }: Context): Promise<Acted> {
  await inspector.queue(body.needed('queue')).pause();
  return {};
}

export async function resumeQueue({ body }: Call, { inspector }: Context): Promise<Acted> {
  await inspector.queue(body.needed('queue')).resume();
  return {};
}

export async function emptyQueue({ body }: Call, { inspector }: Context): Promise<Acted> {
  const count = await inspector.queue(body.needed('queue')).empty();
  return { count, answer: { count } };
}

/** Sets limits at run time; without a number, what was set ends. */
export async function setLimits({ body }: Call, { inspector }: Context): Promise<Acted> {
  const queue = inspector.queue(body.needed('queue'));
  const bounds = { least: 0, most: 1e9, otherwise: 0 };
  const number = (name: string) => (body.has(name) ? body.number(name, bounds) : undefined);
  const total = number('total');
  const perKey = number('perKey');
  const max = number('max');
  const per = number('per');
  const minutes = number('minutes');
  const handler = body.text('handler');
  const key = body.text('key');
  const concurrency = {
    ...(total === undefined ? {} : { total }),
    ...(perKey === undefined ? {} : { perKey }),
  };
  const rate = max === undefined || per === undefined ? undefined : { max, per };
  await queue.setLimits(
    {
      ...(handler === undefined ? {} : { handler }),
      ...(key === undefined ? {} : { key }),
      ...(Object.keys(concurrency).length > 0 ? { concurrency } : {}),
      ...(rate === undefined ? {} : { rateLimit: rate }),
    },
    minutes === undefined || minutes === 0 ? {} : { for: minutes * 60 },
  );
  return {
    what: [handler, key, total, perKey, rate && `${max} per ${per} s`].filter(isThere).join(' '),
  };
}

export async function changeSchedule({ body }: Call, { inspector }: Context): Promise<Acted> {
  const id = body.needed('id');
  const queue = inspector.queue(body.needed('queue'));
  const what = body.oneOf('do', ['pause', 'resume', 'run', 'remove'] as const);
  const schedule = await queue.getSchedule(id);
  if (!schedule || !what) throw new Refused('missing', `there is no schedule "${id}"`, 404);
  if (what === 'remove') await queue.unschedule(id);
  else if (what === 'run') await schedule.runNow();
  else await schedule[what]();
  return { what: `${what} ${id}` };
}

export async function endWorker({ body }: Call, { inspector }: Context): Promise<Acted> {
  const worker = body.needed('worker');
  const all = await inspector.workers();
  if (!all.some(({ name }) => name === worker)) {
    throw new Refused('missing', `there is no worker "${worker}"`, 404);
  }
  await inspector.desk.shutDownWorker(worker);
  return { what: worker };
}

/** Nobody is told of an alert for so many minutes; 0: they are again. */
export async function muteAlert({ body, viewer }: Call, { inspector }: Context): Promise<Acted> {
  const id = body.needed('id');
  const minutes = body.number('minutes', { least: 0, most: MOST_MINUTES, otherwise: 60 });
  const alert = (await inspector.alerts()).find((one) => one.id === id);
  await viewer.demand('mute', alert?.queue);
  if (!alert) throw new Refused('missing', 'this alert is over', 404);
  await inspector.muteAlert(id, { for: minutes * 60 });
  return { queue: alert.queue, what: `${id} ${minutes === 0 ? 'told again' : `${minutes}m`}` };
}

const MOST_MINUTES = 30 * 1440;

export async function suspendAll({ body }: Call, { inspector }: Context): Promise<Acted> {
  if (body.flag('on')) await inspector.desk.suspend();
  else await inspector.desk.resume();
  return { what: body.flag('on') ? 'suspend' : 'resume' };
}

type BulkAction = OperationRequest['action'];

/** To many jobs: a dry run counts them; else it goes on for all to see, and the answer is how it begins. */
export function bulk(action: BulkAction) {
  return async (call: Call, { inspector }: Context, finished: Finished): Promise<Acted> => {
    const { body, viewer } = call;
    const queue = body.needed('queue');
    const selection = selectionOf(call);
    const what = describe(selection);
    if ('length' in selection) await assertOfQueue(selection, queue, inspector);
    if (body.flag('dryRun')) {
      const { count } = await counted(inspector, action, queue, selection);
      return { answer: { count }, isDry: true };
    }
    const rate = body.number('rate', { least: 0, most: 100_000, otherwise: 0 });
    const request: OperationRequest = {
      action,
      queue,
      selection,
      who: viewer.who,
      ...(rate > 0 ? { rate } : {}),
      ...(action === 'requeue' ? { options: requeueOptionsOf(call) } : {}),
    };
    const state = await inspector.desk.operations.start(request, (end) =>
      finished({ count: end.done, what, failed: end.why }),
    );
    const answer: OperationAnswer = operationAnswer(state);
    return { what, answer, isGoingOn: true };
  };
}

/** What an action would be done to; a place that does not fit it is refused there. */
function counted(
  inspector: Context['inspector'],
  action: BulkAction,
  queue: string,
  selection: StoredSelection,
) {
  const given = selection as never;
  const dry = { dryRun: true } as const;
  if (action === 'requeue') return inspector.requeue(queue, given, dry);
  if (action === 'promote') return inspector.promote(queue, given, dry);
  if (action === 'cancel') return inspector.cancel(queue, given, dry);
  return inspector.delete(queue, given, dry);
}

/** Called when something that went on has ended. */
export type Finished = (end: {
  readonly count: number;
  readonly what: string;
  readonly failed: string | undefined;
}) => void;

export function requeueOptionsOf({ body }: Call): { front?: boolean; retries?: 'fresh' } {
  return {
    ...(body.flag('front') ? { front: true } : {}),
    ...(body.flag('fresh') ? { retries: 'fresh' as const } : {}),
  };
}

function selectionOf({ body }: Call): StoredSelection {
  const ids = body.texts('ids', 500);
  if (ids) return ids;
  const place = body.oneOf<Place>('in', PLACES);
  if (!place) throw new Refused('option', 'say which jobs: "ids" or "in"', 400);
  const name = body.text('name');
  const cause = body.text('cause');
  const error = body.text('error');
  const date = (key: 'before' | 'after') => {
    const at = body.number(key, { least: 0, most: 8e15, otherwise: 0 });
    return at > 0 ? { [key]: new Date(at) } : {};
  };
  return {
    in: place,
    ...(name === undefined ? {} : { name }),
    ...(cause === undefined ? {} : { cause }),
    ...(error === undefined ? {} : { error }),
    ...date('before'),
    ...date('after'),
  };
}

/** Whoever may act in one queue may not reach into another by an id. */
async function assertOfQueue(
  ids: readonly string[],
  queue: string,
  inspector: Context['inspector'],
): Promise<void> {
  const { count } = await inspector.delete(queue, ids, { dryRun: true });
  if (count === ids.length) return;
  for (const id of ids) {
    const job = await inspector.job(id);
    if (job && job.queue !== queue) {
      throw new Refused('permission', `job "${id}" is not of queue "${queue}"`);
    }
  }
}

function describe(selection: StoredSelection): string {
  if ('length' in selection) {
    const [first] = selection;
    return selection.length === 1 ? String(first) : `${selection.length} ids`;
  }
  const { name, cause, error } = selection;
  return [selection.in, name, cause, error].filter(isThere).join(' ');
}

function isThere(value: unknown): boolean {
  return value !== undefined && value !== '';
}

/** Gives back what an operation has deleted. Whoever may delete may have it back. */
export async function undoOperation(
  { body, viewer }: Call,
  { inspector }: Context,
): Promise<Acted> {
  const id = body.needed('id');
  const operation = await inspector.desk.operations.get(id);
  await viewer.demand('delete', operation?.queue);
  const undone = operation && (await inspector.desk.operations.undo(id));
  if (!undone) throw new Refused('missing', 'there is nothing to undo', 404);
  const { restored, refused } = undone;
  return { queue: operation.queue, count: restored, answer: { restored, refused } };
}

/** Ends what is being done to many jobs. Whoever may begin it may end it. */
export async function cancelOperation(
  { body, viewer }: Call,
  { inspector }: Context,
): Promise<Acted> {
  const id = body.needed('id');
  const operation = await inspector.desk.operations.get(id);
  if (!operation) throw new Refused('missing', 'there is no such operation', 404);
  const needed = operation.action === 'promote' ? 'requeue' : operation.action;
  await viewer.demand(needed, operation.queue);
  await inspector.desk.operations.cancel(id);
  return { what: `${operation.action} ${operation.queue}` };
}
