/**
 * The fields of a job that a row of a list holds. The scripts know each by its name (`ROW.status`), which
 * scripts/compile-lua.mjs turns into its place.
 */
export const ROW_FIELDS = [
  'status',
  'created_at',
  'enqueued_at',
  'started_at',
  'ended_at',
  'worker_name',
  'nrq_attempts',
  'retries_left',
  'nrq_reason',
  'dependency_ids',
  'allow_dependency_failures',
  'nrq_if_failed',
  'repeats_left',
  'nrq_round',
  'nrq_cause',
  'nrq_after_group',
  'origin',
] as const;
