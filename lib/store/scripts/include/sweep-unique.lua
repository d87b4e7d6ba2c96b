-- Drops the keys of unique jobs that nobody has released: their jobs are over or gone. They would keep nobody out; they
-- only take room. A part of the keys in each turn, from where the last one has ended.

local KEYS_OF_TURN = 250

local function sweep_unique(queue)
  if looked_at(redis.pcall('EXISTS', queue.unique)) ~= 1 then return end
  local cursor = redis.pcall('HGET', queue.sweeps, 'unique')
  local page = redis.pcall('HSCAN', queue.unique, type(cursor) == 'string' and cursor or '0', 'COUNT', KEYS_OF_TURN)
  if page.err then return end
  for at = 1, #page[2], 2 do
    local looked, holder = pcall(holder_in, queue, page[2][at], page[2][at + 1])
    if looked and not holder then redis.pcall('HDEL', queue.unique, page[2][at]) end
  end
  redis.pcall('HSET', queue.sweeps, 'unique', page[1])
  redis.pcall('EXPIRE', queue.sweeps, 86400)
end
