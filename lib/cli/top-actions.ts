import { audited } from './audited.js';
import type { Session } from './run.js';
import type { About } from './top-views.js';
import { jobs } from './words.js';

/** What the keys of `top` do to a row; each asks before. */

/** Something that waits for a yes. */
export interface Asked {
  readonly question: string;
  /** Gives what is to be told in the end. @param tell shows how far it is */
  readonly act: (tell: (message: string) => void) => Promise<string>;
}

/** Pauses a queue, or ends that. */
export function pauseOrResume(session: Session, { queue, isPaused }: About): Asked {
  const action = isPaused ? 'resume' : 'pause';
  return {
    question: isPaused ? `Resume ${queue}?` : `Pause ${queue}: no Nest worker takes its jobs?`,
    act: async () => {
      const one = session.inspector.queue(queue);
      await audited(session, { action, queue }, () => one[action]());
      return `${queue} is ${isPaused ? 'not paused' : 'paused'} now.`;
    },
  };
}

/** Puts failed jobs back: those of a cause, or all of a queue. Undefined: there are none. */
export async function requeue(
  session: Session,
  { queue, cause }: About,
): Promise<Asked | undefined> {
  const { inspector, io } = session;
  const selection = { in: 'failed', ...(cause === undefined ? {} : { cause }) } as const;
  const { count } = await inspector.requeue(queue, selection, { dryRun: true });
  if (count === 0) return undefined;
  const of = cause === undefined ? '' : ` of cause ${cause}`;
  return {
    question: `Requeue ${jobs(count)}${of} in ${queue}? Spent retries stay spent.`,
    act: (tell) =>
      audited(
        session,
        { action: 'requeue', queue, what: cause === undefined ? 'in failed' : `cause ${cause}` },
        async () => {
          const operation = inspector.requeue(queue, selection);
          const cancel = () => operation.cancel();
          io.signal.addEventListener('abort', cancel);
          const progress = session.rq.every(PROGRESS_MS, () =>
            tell(`${operation.progress.done} of ${count} requeued`),
          );
          try {
            const { done } = await operation.report();
            return `${jobs(done)} requeued.`;
          } finally {
            progress.cancel();
            io.signal.removeEventListener('abort', cancel);
          }
        },
      ),
  };
}

const PROGRESS_MS = 200;
