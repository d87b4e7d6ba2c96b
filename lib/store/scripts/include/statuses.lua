-- The statuses of jobs that have ended.
local function has_ended(status)
  return status == 'finished' or status == 'failed' or status == 'stopped' or status == 'canceled'
end

-- Whether it stands where jobs of this status end. Python may write the status of an earlier end while the job runs; the
-- registry says what is so.
local function stands_at_end(queue, id, status)
  if not has_ended(status) then return false end
  return redis.call('ZSCORE', queue[status == 'stopped' and 'failed' or status], id) ~= false
end
