-- How many jobs wait to be run, wherever in the queue they wait.
local function length_of(queue)
  return redis.call('LLEN', queue.list)
end
