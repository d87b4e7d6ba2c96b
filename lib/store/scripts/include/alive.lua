-- Whether a queue could be written to all the time. Time in which it could not (Redis frozen, away, refusing writes)
-- does not count against leases: after such a time, workers that live renew first.
--
-- queue.alive holds the lengths of the leases that the queue's workers use, in milliseconds, each with the moment at
-- which somebody with such leases was here last. Workers are here at least each half of the shortest lease (the sweep),
-- those that run jobs each third of their own: when nobody was for longer than that, Redis was not there, or nobody
-- lived. Those that live then renew within the next third of the longest.

-- Shares of a lease; and milliseconds that a lost link may take to come back, however short leases are.
local SILENCE, GRACE, LINK_IS_BACK = 0.6, 0.5, 1000

-- Somebody whose leases are so long (milliseconds) is here. Answers for how many milliseconds leases are still left
-- alone, 0 = they count, and how long the shortest leases in use are.
local function note_alive(queue, lease)
  local lengths = redis.call('ZRANGE', queue.alive, 0, -1, 'WITHSCORES')
  local last = tonumber(lengths[#lengths] or '')
  local shortest, longest = math.huge, lease
  for at = 1, #lengths, 2 do
    local length = tonumber(lengths[at])
    if not length or last - tonumber(lengths[at + 1]) > 3 * length then
      redis.pcall('ZREM', queue.alive, lengths[at])
    else
      shortest, longest = math.min(shortest, length), math.max(longest, length)
    end
  end
  if (not last or now - last > SILENCE * shortest) and redis.call('ZCARD', queue.started) > 0 then
    redis.pcall('SET', queue.grace, '1', 'PX', string.format('%.0f', math.max(GRACE * longest, LINK_IS_BACK)))
  end
  redis.call('ZADD', queue.alive, string.format('%.0f', now), string.format('%.0f', lease))
  redis.pcall('EXPIRE', queue.alive, 86400)
  return math.max(0, redis.call('PTTL', queue.grace)), math.min(shortest, lease)
end
