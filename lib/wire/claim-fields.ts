/**
 * The fields of a job that a claim reads, in the order in which they travel. The scripts know each by its name
 * (`CLAIM.data`, `FURTHER.ttl`), which scripts/compile-lua.mjs turns into its place.
 */

/** Read of every job. The last is one that every Python process writes, maybe empty, when it saves a job. */
export const CLAIM_FIELDS = [
  'status',
  'data',
  'nrq_given',
  'nrq_attempts',
  'timeout',
  'result_ttl',
  'meta',
  'created_at',
  'success_callback_name',
] as const;

/**
 * Read only of some jobs: of those that are not ours, that ran before, or that are marked in `nrq_given` as having any
 * of them or of the rare ones (`x`: any of these).
 */
export const FURTHER_FIELDS = [
  'ttl',
  'ended_at',
  'retries_left',
  'retry_intervals',
  'nrq_retry',
  'nrq_timeout',
  'failure_ttl',
  'number_of_retries',
  'enqueue_at_front_on_retry',
  'nrq_crashes',
  'enqueued_at',
  'nrq_retries_left',
] as const;

/**
 * Read of even fewer jobs, behind the former: of those that are not ours, or that are marked (`c`: callbacks, or a tick;
 * `d`: it waited for others; `p`: it repeats; `w`: webhooks).
 */
export const RARE_FIELDS = [
  'repeats_left',
  'repeat_intervals',
  'nrq_round',
  'nrq_tick',
  'dependency_ids',
  'failure_callback_name',
  'stopped_callback_name',
  'webhooks',
] as const;
