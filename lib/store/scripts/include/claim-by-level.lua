-- Claims jobs of the levels of a queue, for serve-lanes.lua: the high ones first, and the low ones when there is nothing else.

--- @include ring

-- The job that stands in RQ's list for its level goes back to its head, unless somebody has taken it.
-- bell: what the flags say of it
local function silence_bell(queue, bell)
  local level, id = string.match(bell, '^(%l+) (.*)$')
  redis.call('HDEL', queue.flags, 'bell')
  if redis.call('LREM', queue.list, 1, id) > 0 then redis.call('LPUSH', queue[level], id) end
end

-- The claimed job is of this level, wherever it goes from now on.
local function keep_level(queue, values, level)
  -- In the place of the status, which is known.
  values[CLAIM.status] = level
  -- Python has put it there, as into a queue of that name.
  local key = job_prefix .. values[CLAIM_FIELD_COUNT + 1]
  if redis.call('HSETNX', key, 'nrq_level', level) == 1 then redis.call('HSET', key, 'origin', queue.name) end
end

local function claim_from_level(queue, claims, level)
  local before = #claims.jobs
  claim_from_list(queue, claims, queue[level])
  for index = before + 1, #claims.jobs do keep_level(queue, claims.jobs[index], level) end
end
