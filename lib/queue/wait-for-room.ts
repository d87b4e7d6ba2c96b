import { QueueFullError } from '../job/index.js';
import type { JobStore, NewJob, Refusal } from '../store/index.js';
import { after } from '../time/timer.js';
import { keyInLane } from '../wire/index.js';

/**
 * What a call of enqueue does at a full queue (`whenFull: 'wait'`).
 *
 * 1. The call is refused, and leaves a mark at the queue.
 * 2. It listens, and tries again: jobs may have left before it could hear of it.
 * 3. Whoever takes jobs out of the queue sees the mark, and tells as soon as a tenth of the queue is free.
 * 4. All that wait try again. Those for which there is still no room go on waiting.
 * 5. When `commandTimeout` is over it tries a last time: Python's workers tell nobody.
 *
 * @param send makes the call; it throws QueueFullError when there is no room
 * @param mayFit whether there can ever be room for the call
 * @throws QueueFullError, and what `send` throws
 */
export async function sendWhenRoom<Answer>(
  store: Pick<JobStore, 'onRoom' | 'commandTimeout'>,
  send: () => Promise<Answer>,
  mayFit: (full: QueueFullError) => boolean = () => true,
): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof QueueFullError) || !mayFit(error)) throw error;
    return await sendLater(store, send, error);
  }
}

async function sendLater<Answer>(
  store: Pick<JobStore, 'onRoom' | 'commandTimeout'>,
  send: () => Promise<Answer>,
  first: QueueFullError,
): Promise<Answer> {
  const { commandTimeout } = store;
  const signal = new RoomSignal(commandTimeout);
  const stop = await store.onRoom(first.queue, () => signal.give());
  try {
    for (;;) {
      const isLast = signal.isOver;
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof QueueFullError)) throw error;
        if (isLast) throw error.after(commandTimeout);
        await signal.next();
      }
    }
  } finally {
    stop();
    signal.close();
  }
}

/** Why a job was not stored for which there is no room. */
export function queueFull(job: NewJob, { details }: Pick<Refusal, 'details'>): QueueFullError {
  const { queue, room } = job;
  const [length, ofKey] = details ?? [];
  const isOfKey = ofKey !== undefined;
  const maxLength = (isOfKey ? room?.perKey : room?.most) ?? 0;
  const key = isOfKey ? keyOfJob(job) : undefined;
  return new QueueFullError({ queue, maxLength, length: Number(length), key });
}

/** The key by which a job waits; empty: none. */
export function keyOfJob({ lane }: NewJob): string {
  return lane === undefined ? '' : keyInLane(lane);
}

/** Kept until somebody waits for it: what is given during a call counts for the next wait. */
class RoomSignal {
  isOver = false;
  private isGiven = false;
  private resolve: (() => void) | undefined;
  private readonly timer;

  constructor(milliseconds: number) {
    this.timer = after(milliseconds, () => {
      this.isOver = true;
      this.give();
    });
  }

  give(): void {
    this.isGiven = true;
    this.resolve?.();
  }

  async next(): Promise<void> {
    if (!this.isGiven) await new Promise<void>((resolve) => (this.resolve = resolve));
    this.isGiven = false;
  }

  close(): void {
    this.timer.cancel();
  }
}
