-- Tells idle workers when the earliest job of the scheduled registry is one of those added just now:
-- their timers are set for a later one. added: job id -> true
local function wake_for_earliest(scheduled, channel, added)
  if next(added) == nil then return end
  local earliest = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
  if earliest[1] and added[earliest[1]] then
    redis.call('PUBLISH', channel, 'due ' .. string.format('%.0f', math.max(0, math.ceil(tonumber(earliest[2]) * 1000 - now))))
  end
end
