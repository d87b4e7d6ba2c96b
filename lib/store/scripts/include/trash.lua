-- Jobs that have ended and are deleted can be had back for an hour: their keys get other names, and the hash says where
-- the job stood. One that others wait for cannot: they have been told.

local trash = {
  -- Seconds.
  KEPT = 3600,
  REGISTRIES = { finished = 'finished', failed = 'failed', stopped = 'failed', canceled = 'canceled' },
}

-- The keys of a job, and their names meanwhile.
function trash.keys_of(id)
  return {
    { job_prefix .. id, prefix .. 'nrq:trash:' .. id },
    { results_prefix .. id, prefix .. 'nrq:trash-results:' .. id },
    { log_prefix .. id, prefix .. 'nrq:trash-log:' .. id },
  }
end
