import type { Lease } from '../../store/index.js';
import { ClaimedJob } from '../../wire/index.js';
import type { ConsumerSettings } from './consumer-settings.js';

/**
 * Jobs that a lost answer has claimed, and that nobody runs. @param held what is known to be ours, when Redis has answered
 */
export async function orphansOf(
  queue: string,
  { store, token }: Pick<ConsumerSettings, 'store' | 'token'>,
  held: () => readonly Lease[],
): Promise<ClaimedJob[]> {
  const executions = await store.leasesOf(queue, token);
  const known = new Set(held().map(({ execution }) => execution));
  return executions
    .filter(({ execution }) => !known.has(execution))
    .map(({ id, execution }) => ClaimedJob.unread(queue, id, execution));
}
