-- Tells idle workers when the earliest job of the scheduled registry is one of those added just now.
-- Their timers are set for a later one. added: job id -> true
local function wake_for_earliest(queue, added)
  if next(added) == nil then return end
  -- Of those that are not due yet: before them may stand what nobody can promote.
  local from = string.format('(%.3f', now / 1000 - 0.0005)
  local earliest = redis.pcall('ZRANGEBYSCORE', queue.scheduled, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  if earliest[1] and added[earliest[1]] then
    redis.pcall('PUBLISH', queue.wake, 'due ' .. string.format('%.1f', math.max(0, tonumber(earliest[2]) * 1000 - now)))
  end
end
