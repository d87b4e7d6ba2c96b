-- How many jobs stand where, for those who look. What holds something else counts as empty.

--- @include length

local after_now, until_now = '(' .. score(now), score(now - 1)

-- retrying: those that are not due yet; overdue: scheduled ones whose time has come and that nobody has moved
-- is_common: it has no levels, no flags, and no jobs that are deferred or canceled
local function depths_of(queue, is_common)
  local scheduled = count_of(redis.pcall('ZCARD', queue.scheduled))
  -- Retries are scheduled, too.
  local has_none = scheduled == 0
  return {
    queued = is_common and count_of(redis.pcall('LLEN', queue.list)) or length_of(queue),
    started = count_of(redis.pcall('ZCARD', queue.started)),
    scheduled = scheduled,
    deferred = is_common and 0 or count_of(redis.pcall('ZCARD', queue.deferred)),
    finished = count_of(redis.pcall('ZCARD', queue.finished)),
    failed = count_of(redis.pcall('ZCARD', queue.failed)),
    canceled = is_common and 0 or count_of(redis.pcall('ZCARD', queue.canceled)),
    retrying = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.retrying, after_now, '+inf')),
    overdue = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.scheduled, '-inf', until_now)),
  }
end
