import { CliError, EXIT, exitCodeOf } from './exit-codes.js';
import type { Session } from './run.js';

/** Whoever names queues may mean one that is not there yet. */
export interface NewQueueFlags {
  readonly newQueue?: boolean;
}

/** The flag of commands for which a queue may be new. */
export const NEW_QUEUE = ['--new-queue', 'also when there is no such queue yet'] as const;

/**
 * A misspelt name would look like an empty queue, or make a queue that nobody serves.
 * @param options.orNew the command has the flag for new ones
 * @throws CliError when nobody has put a job into a queue of this name, serves it, or has paused it
 */
export async function assertKnownQueues(
  { inspector, rq }: Pick<Session, 'inspector' | 'rq'>,
  names: readonly string[],
  { orNew = false } = {},
): Promise<void> {
  if (names.length === 0) return;
  const known = await inspector.names().catch((error: unknown) => {
    // Who may only enqueue cannot know which queues there are.
    if (orNew && exitCodeOf(error, rq) === EXIT.denied) return names;
    throw error;
  });
  for (const name of names) {
    if (known.includes(name) || (await inspector.queue(name).isPaused())) continue;
    const near = rq.nearestName(name, known);
    const list = known.length === 0 ? 'there are none' : `there are ${listed(known)}`;
    const hint = near === undefined ? `; ${list}.` : `: did you mean "${near}"?`;
    const forced = orNew ? ` For a new queue: ${NEW_QUEUE[0]}.` : '';
    throw new CliError(`There is no queue "${name}"${hint}${forced}`, EXIT.notFound);
  }
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, MOST_LISTED).join(', ');
  return names.length > MOST_LISTED ? `${shown}, ...` : shown;
}

const MOST_LISTED = 20;
