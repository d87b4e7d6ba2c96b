-- How many jobs stand where, for those who look. What holds something else counts as empty.

--- @include length

-- retrying: those that are not due yet; overdue: scheduled ones whose time has come and that nobody has moved
local function depths_of(queue)
  local scheduled = count_of(redis.pcall('ZCARD', queue.scheduled))
  -- Retries are scheduled, too.
  local has_none = scheduled == 0
  return {
    queued = length_of(queue),
    started = count_of(redis.pcall('ZCARD', queue.started)),
    scheduled = scheduled,
    deferred = count_of(redis.pcall('ZCARD', queue.deferred)),
    finished = count_of(redis.pcall('ZCARD', queue.finished)),
    failed = count_of(redis.pcall('ZCARD', queue.failed)),
    canceled = count_of(redis.pcall('ZCARD', queue.canceled)),
    retrying = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.retrying, '(' .. score(now), '+inf')),
    overdue = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.scheduled, '-inf', score(now - 1))),
  }
end
