-- How many jobs of a queue wait in lanes.
local function in_lanes_of(queue)
  return math.max(0, tonumber(redis.call('HGET', queue.flags, 'n') or '') or 0)
end
