/**
 * What is said on a queue's wake channel. Workers hear of jobs that are due earlier than they know (`due MILLISECONDS`),
 * and of anything else that may give them work. Whoever waits to enqueue hears `room`.
 */

/** Hands on what concerns workers. @param listener told in how many milliseconds to look; undefined: now */
export function wakeHeard(listener: (due: number | undefined) => void): (message: string) => void {
  return (message) => {
    if (message === 'room') return;
    const due = /^due (\d{1,15}(?:\.\d)?)$/.exec(message)?.[1];
    listener(due === undefined ? undefined : Number(due));
  };
}

/** Hands on that there may be room again in a queue that was full. */
export function roomHeard(listener: () => void): (message: string) => void {
  return (message) => {
    if (message === 'room') listener();
  };
}
