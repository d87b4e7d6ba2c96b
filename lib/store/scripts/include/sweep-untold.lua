-- Children that could not be told of the end of a parent (see untold.lua) are tried again: some parents in each turn, from
-- where the last one has ended.

local function sweep_untold(queue)
  if redis.pcall('EXISTS', queue.untold) ~= 1 then return end
  local cursor = redis.pcall('HGET', queue.sweeps, 'untold')
  local page = redis.call('HSCAN', queue.untold, type(cursor) == 'string' and cursor or '0', 'COUNT', 10)
  for at = 1, #page[2], 2 do
    local key = page[2][at]
    local entry = untold.unpack(key, page[2][at + 1])
    local is_told = not entry
    if entry then
      entry.is_again = true
      -- Who is told leaves the set.
      local worked, _, told = pcall(tell_children, queue, entry)
      if worked then pcall(batched, 'SREM', key, told) end
      is_told = redis.pcall('EXISTS', key) == 0
    end
    if is_told then redis.pcall('HDEL', queue.untold, key) end
  end
  redis.pcall('HSET', queue.sweeps, 'untold', page[1])
  redis.pcall('EXPIRE', queue.sweeps, 86400)
  tell_open(queue)
end
