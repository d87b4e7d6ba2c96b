-- Events of a queue's jobs, told on a channel of its own; they are made only while somebody listens there.

local function is_listened(queue)
  local counts = redis.pcall('PUBSUB', 'NUMSUB', queue.events)
  return not counts.err and tonumber(counts[2]) > 0
end
