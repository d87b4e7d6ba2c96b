import { hostname, userInfo } from 'node:os';
import type { NewAuditEntry } from '../observe/index.js';
import type { Session } from './run.js';

/** What is done, for the audit: never data of jobs. */
export interface Deed {
  readonly action: string;
  readonly queue?: string | undefined;
  /** To which jobs, schedules or workers, in short. */
  readonly what?: string | undefined;
}

/**
 * Does something and writes it down for all who look, as the dashboard does: before it begins, and how it ended. Whoever
 * may not write into the audit is told so, and does it all the same.
 * @param countOf how many jobs it was
 */
export async function audited<Result>(
  { inspector, output }: Session,
  deed: Deed,
  work: () => Promise<Result>,
  countOf: (result: Result) => number | undefined = () => undefined,
): Promise<Result> {
  let isWritten = true;
  const note = async (entry: Pick<NewAuditEntry, 'result' | 'count' | 'why'>) => {
    if (!isWritten) return;
    try {
      await inspector.desk.audit.add({ who: whoSitsHere(), ...deed, ...entry });
    } catch {
      isWritten = false;
      output.note('It could not be written into the audit.');
    }
  };
  await note({ result: 'begun' });
  try {
    const result = await work();
    await note({ result: 'done', count: countOf(result) });
    return result;
  } catch (error) {
    await note({ result: 'failed', why: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** `cli:ada@db7`, as the audit names whoever uses the command line. */
export function whoSitsHere(): string {
  return `cli:${userName()}@${hostname()}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number that has no name.
    return String(process.getuid?.() ?? 'unknown');
  }
}
