import type { NewAuditEntry } from '../../observe/index.js';
import type { Finished } from './actions.js';
import type { Call } from './call.js';
import type { Context } from './context.js';
import { problemOf } from './problems.js';

/** What an action says of itself. */
export interface Acted {
  /** For the audit. */
  readonly queue?: string;
  readonly what?: string;
  readonly count?: number;
  /** For the page. */
  readonly answer?: unknown;
  /** Nothing was done, nothing is written down. */
  readonly isDry?: boolean;
  /** It has only begun: `Finished` is called in the end. */
  readonly isGoingOn?: boolean;
}

export type Act = (call: Call, context: Context, finished: Finished) => Promise<Acted>;

/**
 * Carries an action out and writes it down: before it begins, and how it ended; refused ones, too. What cannot be written
 * down before is not done.
 */
export async function audited(
  action: string,
  allowed: () => Promise<void>,
  act: Act,
  call: Call,
  context: Context,
): Promise<unknown> {
  const { viewer, body } = call;
  const known = {
    who: viewer.who,
    action,
    queue: body.text('queue'),
    what: body.text('id') ?? body.text('worker'),
    ip: viewer.ip,
  };
  const note = async (entry: Partial<NewAuditEntry> & Pick<NewAuditEntry, 'result'>) => {
    const whole = { ...known, ...entry };
    context.settings.onAudit(whole);
    await context.inspector.desk.audit.add(whole);
  };
  const isDry = body.flag('dryRun');
  try {
    await allowed();
    if (!isDry) await note({ result: 'begun' });
    const {
      answer = {},
      isGoingOn,
      ...done
    } = await act(call, context, ({ failed, count, what }) => {
      const result = failed === undefined ? ('done' as const) : ('failed' as const);
      void note({ result, count, what, why: failed }).catch(context.settings.onError);
    });
    const { queue, what, count } = done;
    const about = {
      ...(queue === undefined ? {} : { queue }),
      ...(what === undefined || what === '' ? {} : { what }),
      ...(count === undefined ? {} : { count }),
    };
    if (!isDry && !isGoingOn) await note({ result: 'done', ...about });
    return answer;
  } catch (error) {
    const { status, message } = problemOf(error);
    const result = status === 403 ? ('refused' as const) : ('failed' as const);
    if (!isDry || result === 'refused') {
      await note({ result, why: message }).catch(() => undefined);
    }
    throw error;
  }
}
