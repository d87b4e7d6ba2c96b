-- Who moves the due jobs of a queue: RQ's scheduler lock says so. RQ's schedulers move a job without looking whether
-- somebody else has just done so. Therefore our workers hold the lock while it is free; while a scheduler of Python's
-- holds it, they move only what it has left for long.

local OURS = '0'
-- Milliseconds. RQ's loop comes by each second.
local WELL_OVERDUE = 10000

-- For how many milliseconds a due job is left to whoever holds the lock.
local function patience_with_scheduler(queue)
  local holder = looked_at(redis.pcall('GET', queue.scheduler_lock))
  if holder == OURS then return 0 end
  if holder then return WELL_OVERDUE end
  redis.pcall('SET', queue.scheduler_lock, OURS, 'EX', 61)
  return 0
end
