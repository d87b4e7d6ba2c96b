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

export const outcomesNotStored = (queue: string): Trouble => ({
  problem: `outcomes of queue "${queue}" cannot be stored`,
  solved: `outcomes of queue "${queue}" are stored again`,
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

export const workerNotListed = 'the worker cannot be listed in Redis';
