/**
 * What enqueue.lua is given of each new job, in this order; `values` are as many as `count` says. The script knows each by
 * its name (`JOB.place`), which scripts/compile-lua.mjs turns into its distance from the first.
 */
export const NEW_JOB_COLUMNS = [
  'id',
  'check',
  'place',
  'ttl',
  'template',
  'data',
  'count',
  'values',
] as const;
