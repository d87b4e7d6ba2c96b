-- Callers of enqueue that wait at a full queue have left a mark, the number of jobs that it may hold. They are told as
-- soon as a tenth of that is free.

--- @include length

local function tell_room(queue)
  local most = tonumber(looked_at(redis.pcall('HGET', queue.flags, 'full')) or '')
  if not most or length_of(queue) >= 0.9 * most then return end
  redis.pcall('HDEL', queue.flags, 'full')
  redis.pcall('PUBLISH', queue.wake, 'room')
end
