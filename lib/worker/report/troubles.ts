/**
 * How a worker words troubles with its surroundings, for the log. Lines about single jobs are worded by the Nest layer
 * (lib/nest/log-lines.ts).
 */

/** Something is wrong, and later well again. The reporter begins a line with each. */
export interface Trouble {
  readonly problem: string;
  readonly solved: string;
}

export const queueNotServed = (queue: string): Trouble => ({
  problem: `queue "${queue}" cannot be served`,
  solved: `queue "${queue}" is served again`,
});

export const jobsNotClaimed = (queue: string): Trouble => ({
  problem: `jobs of queue "${queue}" cannot be claimed`,
  solved: `jobs of queue "${queue}" are claimed again`,
});

export const queueNotWaitedAt = (queue: string): Trouble => ({
  problem: `an idle worker may not wait at queue "${queue}", and asks it four times a second instead`,
  solved: `an idle worker waits at queue "${queue}" again`,
});

export const outcomesNotStored = (queue: string): Trouble => ({
  problem: `outcomes of queue "${queue}" cannot be stored`,
  solved: `outcomes of queue "${queue}" are stored again`,
});

export const outcomesNotReplicated = (queue: string): Trouble => ({
  problem: `outcomes of queue "${queue}" are told although too few replicas have them (durability)`,
  solved: `outcomes of queue "${queue}" are told when replicas have them again`,
});

/** Its data are damaged: others are stored. */
export const outcomeNotStored = (jobId: string) => `the outcome of job "${jobId}" cannot be stored`;

export const leasesNotRenewed = (queue: string): Trouble => ({
  problem: `leases on queue "${queue}" cannot be renewed`,
  solved: `leases on queue "${queue}" are renewed again`,
});

export const queueNotRecovered = (queue: string): Trouble => ({
  problem: `queue "${queue}" cannot be looked after`,
  solved: `queue "${queue}" is looked after again`,
});

/** Of one origin; the rest of a URL may hold a token. */
export const webhooksFail = (origin: string): Trouble => ({
  problem: `webhooks to ${origin} do not arrive`,
  solved: `webhooks to ${origin} arrive again`,
});

export const webhookNotAllowed = (origin: string) =>
  `webhooks of jobs to ${origin} are not sent: this origin is not allowed (webhooks: { allow })`;

export const webhooksUnreadable = 'the webhooks of a job cannot be sent';

export const webhooksUnsent = (count: number) =>
  `${count} ${count === 1 ? 'webhook was' : 'webhooks were'} not sent: the worker has stopped`;

export const workerNotListed = 'the worker cannot be listed in Redis';

export const schedulesNotKept: Trouble = {
  problem: 'schedules cannot be fired',
  solved: 'schedules are fired again',
};

export const schedulesNotTidied = 'the schedules cannot be listed for RQ';

/** Others are fired. */
export const scheduleNotFired = (id: string) => `schedule "${id}" cannot be fired`;

export const scheduleUnreadable = (id: string) =>
  `schedule "${id}" is not fired here: another version of this library has written it`;

export const scheduleMadeAtRunTime = (id: string) =>
  `@Schedule "${id}" is not fired: queue.schedule() has made one of this id. Give one of them another id, or unschedule("${id}")`;
