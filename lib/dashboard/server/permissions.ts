/**
 * What somebody may do in the dashboard. Every route needs one of these; the application says who has which (`can`).
 */
export const PERMISSIONS = [
  /** Pages, numbers, lists of jobs. */
  'view',
  /** Data, results, meta, logs and the messages of errors. */
  'view:data',
  /** Jobs run again, or now. */
  'requeue',
  'cancel',
  /** Ends running jobs. */
  'stop',
  'delete',
  /** A new job out of an old one, with other data. */
  'edit',
  'enqueue',
  /** Pauses and resumes a queue. */
  'pause',
  /** Deletes all waiting jobs of a queue. */
  'empty',
  'limit',
  /** Ends workers. */
  'worker',
  /** Pauses, resumes, removes schedules, and runs them now. */
  'schedule',
  /** Keeps an alert quiet for a while. */
  'mute',
  /** Suspends all queues. */
  'suspend',
  /** Sees who did what. */
  'audit',
  /** Takes found jobs away as a file. */
  'export',
] as const;

export type RqPermission = (typeof PERMISSIONS)[number];

/** What a decision is about. */
export interface PermissionContext<User = unknown> {
  /** As `user` of the options gives it. */
  readonly user: User;
  /** Undefined: the question is about no single queue. */
  readonly queue?: string | undefined;
  readonly jobName?: string | undefined;
}

/** Says whether somebody may do something. It is asked for each request, on the server. */
export type PermissionCheck<User = unknown> = (
  action: RqPermission,
  context: PermissionContext<User>,
) => boolean | Promise<boolean>;
