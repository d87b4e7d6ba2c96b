import type { JobEvent } from '../job/index.js';
import type { RedisAccess } from '../redis/access.js';
import { type Subscriptions, publish } from '../redis/subscriptions.js';
import { decodeEvent } from '../wire/event.js';
import type { QueueKeys } from '../wire/keyspace.js';

/** Hears the events of a queue's jobs. Resolves when Redis has confirmed; workers know a moment later. */
export async function listenToEvents(
  access: RedisAccess,
  subscriptions: Subscriptions,
  { name, events, wake }: QueueKeys,
  listener: (event: JobEvent) => void,
): Promise<() => void> {
  const stop = await subscriptions.listen(events, (message) => {
    const event = decodeEvent(name, message);
    if (event) listener(event);
  });
  try {
    // Workers learn from each answer whether anybody listens: idle ones ask now.
    await publish(access, 'listen to events', wake, 'listening');
  } catch (error) {
    stop();
    throw error;
  }
  return stop;
}
