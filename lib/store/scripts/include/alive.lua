-- Whether a queue could be written to all the time. Time in which it could not (Redis frozen, away, refusing writes)
-- does not count against leases: after such a time, workers that live renew first.

-- Somebody could write here just now. memory: milliseconds for which it is worth knowing.
local function note_alive(queue, memory) redis.pcall('SET', queue.alive, string.format('%.0f', now), 'PX', memory) end

-- Milliseconds for which leases are still left alone; 0: they count.
-- silence: longer than this nobody could write, or nobody was there; grace: how long living workers have to renew.
local function grace_left(queue, silence, grace)
  local noted = looked_at(redis.pcall('GET', queue.alive))
  local seen = type(noted) == 'string' and tonumber(noted)
  if (not seen or now - seen > silence) and redis.call('ZCARD', queue.started) > 0 then
    redis.pcall('SET', queue.grace, '1', 'PX', grace)
  end
  note_alive(queue, 3 * silence)
  return math.max(0, redis.call('PTTL', queue.grace))
end
