-- The statuses of jobs that have ended.
local function has_ended(status)
  return status == 'finished' or status == 'failed' or status == 'stopped' or status == 'canceled'
end
