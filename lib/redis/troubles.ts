/**
 * How this room words troubles for the log: options of the connection that are overruled, and what keeps the lease guard
 * from its work.
 */

export const optionOverruled = (option: string, why: string) =>
  `connection.${option} is overruled (${why})`;

export const notForThreads = (options: readonly string[]) =>
  `connection.${options.join(', connection.')} cannot be handed to a thread`;

export const noLeaseGuard = (why: string) =>
  `leases are not kept while a handler blocks the event loop: ${why}. ` +
  'Jobs that block it for longer than `lease` may run twice: give them a longer lease';

export const guardCannotRenew = (problem: string) =>
  `the thread for that cannot renew them (${problem})`;

export const guardEnded = (reason: string | undefined) =>
  reason === undefined
    ? 'the thread for that has ended'
    : `the thread for that has ended (${reason})`;

export const leaseGuardAgain = 'leases are kept again while a handler blocks the event loop';

export const slotOnItsWay = 'the slot of its keys is on its way to another node of the cluster';

export const slotOfNobody = 'no node of the cluster is known to have its keys';

export const clusterAway = (word: string) =>
  word === 'CLUSTERDOWN'
    ? 'the cluster takes no commands for these keys (CLUSTERDOWN)'
    : `the node takes no writes (${word})`;
