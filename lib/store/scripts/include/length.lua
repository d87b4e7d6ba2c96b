--- @include in-lanes

-- How many. What holds something else counts as empty.
local function count_of(reply) return type(reply) == 'number' and reply or 0 end

-- How many jobs wait to be run, wherever in the queue they wait. Python's levels show in no flag.
local function length_of(queue)
  local is_known, in_lanes
  if not queue.is_plain then is_known, in_lanes = pcall(in_lanes_of, queue) end
  return count_of(redis.pcall('LLEN', queue.list)) + count_of(redis.pcall('LLEN', queue.high))
    + count_of(redis.pcall('LLEN', queue.low)) + (is_known and in_lanes or 0)
end
