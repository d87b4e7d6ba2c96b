--- @include in-lanes

-- How many jobs wait to be run, wherever in the queue they wait.
local function length_of(queue)
  local length = redis.call('LLEN', prefix .. 'queue:' .. queue.name)
  if queue.is_plain then return length end
  return length + redis.call('LLEN', queue.high) + redis.call('LLEN', queue.low)
    + in_lanes_of(queue)
end
