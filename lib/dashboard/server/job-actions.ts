import type { RqJob } from '../../observe/index.js';
import { JobNotFoundError } from '../../observe/index.js';
import { requeueOptionsOf } from './actions.js';
import type { Acted } from './audited.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import type { RqPermission } from './permissions.js';
import { Refused } from './problems.js';
import { BLANK } from './redaction.js';

/** What one job can be told, and new jobs. */

type JobAction = 'requeue' | 'cancel' | 'stop' | 'promote' | 'delete';

/** The permission is asked for again once the queue of the job is known. */
export function jobAction(action: JobAction) {
  return async (call: Call, context: Context): Promise<Acted> => {
    const job = await demanded(call, context, action === 'promote' ? 'requeue' : action);
    if (action === 'requeue') {
      const again = call.body.flag('finished') ? { finished: true } : {};
      await job.requeue({ ...requeueOptionsOf(call), ...again });
    } else {
      await job[action]();
    }
    return { queue: job.queue, what: job.id, count: 1 };
  };
}

async function demanded(
  { body, viewer }: Call,
  { inspector }: Context,
  permission: RqPermission,
): Promise<RqJob> {
  const id = body.needed('id');
  const job = await inspector.job(id);
  if (!job) throw new JobNotFoundError({ jobId: id });
  const { name } = await job.summary();
  await viewer.demand(permission, job.queue, name);
  return job;
}

/**
 * A new job out of an old one, with other data and an id of its own: an old one is never changed. Its meta says where it
 * comes from.
 */
export async function enqueueAnew(call: Call, context: Context): Promise<Acted> {
  const { body, viewer } = call;
  const old = await demanded(call, context, 'edit');
  const before = await old.refresh();
  await viewer.demand('view:data', old.queue, before.name);
  const data = body.raw('data');
  if (holdsBlank(data)) {
    throw new Refused('redacted', `replace ${BLANK} by what is to stand there`, 400);
  }
  const meta = { again_of: old.id, again_by: viewer.who };
  const queue = context.inspector.queue(old.queue);
  const isCall = before.args.length !== 1 || Object.keys(before.kwargs).length > 0;
  const job =
    isCall && isArguments(data)
      ? await queue.enqueueCall(before.name, data, { meta })
      : await queue.enqueue(before.name, data as never, { meta } as never);
  return {
    queue: old.queue,
    what: `${old.id} as ${job.id}`,
    count: 1,
    answer: { id: job.id, queue: job.queue },
  };
}

/** A job out of nothing. */
export async function enqueueNew({ body }: Call, { inspector }: Context): Promise<Acted> {
  const queue = inspector.queue(body.needed('queue'));
  const name = body.needed('name');
  const seconds = body.number('delay', { least: 0, most: 31_536_000, otherwise: 0 });
  const options = seconds > 0 ? { delay: seconds } : {};
  const job = await queue.enqueue(name, body.raw('data') as never, options as never);
  return { what: `${name} ${job.id}`, count: 1, answer: { id: job.id, queue: job.queue } };
}

interface Arguments {
  args: unknown[];
  kwargs: Record<string, unknown>;
}

function isArguments(value: unknown): value is Arguments {
  return (
    typeof value === 'object' &&
    value !== null &&
    Array.isArray((value as Arguments).args) &&
    typeof (value as Arguments).kwargs === 'object'
  );
}

/** A blanked secret must not become the data of a job. */
function holdsBlank(value: unknown): boolean {
  return JSON.stringify(value ?? null).includes(BLANK);
}
