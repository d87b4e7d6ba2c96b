-- How many jobs stand where, for those who look. What holds something else counts as empty.

--- @include length

local after_now, until_now = '(' .. score(now), score(now - 1)
local queue_prefix, our_prefix = prefix .. 'queue:', prefix .. 'nrq:'
-- How many keys of the queue that is looked at are there and were not found yet: after the last one nothing is asked.
local keys_left

local function found(reply)
  local count = count_of(reply)
  if count > 0 then keys_left = keys_left - 1 end
  return count
end

-- retrying: those that are not due yet; overdue: scheduled ones whose time has come and that nobody has moved
-- is_common: the queue has no levels and no flags, and is not paused
-- The second result is the queue, with the keys that are surely needed.
local function depths_of(name)
  local list = queue_prefix .. name
  local queue = queue_of({
    name = name, list = list, high = list .. '!high', low = list .. '!low', started = prefix .. 'wip:' .. name,
    scheduled = prefix .. 'scheduled:' .. name, finished = prefix .. 'finished:' .. name,
    failed = prefix .. 'failed:' .. name, canceled = prefix .. 'canceled:' .. name,
    deferred = prefix .. 'deferred:' .. name, paused = our_prefix .. 'paused:' .. name,
    flags = our_prefix .. 'flags:' .. name,
  })
  -- One question for all that may be there. Who may not ask it asks for each.
  local there = redis.pcall('EXISTS', list, queue.high, queue.low, queue.started, queue.scheduled, queue.finished,
    queue.failed, queue.canceled, queue.deferred, queue.paused, queue.flags)
  keys_left = type(there) == 'number' and there or math.huge
  local listed = keys_left == 0 and 0 or found(redis.pcall('LLEN', list))
  local finished = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.finished))
  local failed = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.failed))
  local started = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.started))
  local scheduled = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.scheduled))
  local canceled = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.canceled))
  local deferred = keys_left == 0 and 0 or found(redis.pcall('ZCARD', queue.deferred))
  local is_common = keys_left == 0
  if is_common then queue.is_plain = true end
  -- Retries are scheduled, too.
  local has_none = scheduled == 0
  return {
    queued = is_common and listed or length_of(queue),
    started = started, scheduled = scheduled, deferred = deferred, finished = finished, failed = failed,
    canceled = canceled,
    retrying = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.retrying, after_now, '+inf')),
    overdue = has_none and 0 or count_of(redis.pcall('ZCOUNT', queue.scheduled, '-inf', until_now)),
    is_common = is_common,
  }, queue
end
