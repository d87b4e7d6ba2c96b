-- Whether a job of a queue may start now, and from when on one may: it waits in the list or a level, or in a gate that is
-- open. How many wait says neither: a tenant who has used up his share waits by design.

-- Milliseconds since the epoch from which one may start: 0 = now, math.huge = when a slot is free; nothing: none waits.
local function opening_of_queue(queue)
  local is_listed = redis.call('LLEN', queue.list) > 0
  if queue.is_plain then return is_listed and 0 or nil end
  local room, _, opens = queue.lanes.room_of_queue()
  local first = redis.call('ZRANGE', queue.gates, '0', '0', 'WITHSCORES')
  local opening = first[2] and (first[2] == 'inf' and math.huge or tonumber(first[2]) / 1000)
  if not is_listed and not opening then return nil end
  local at = is_listed and 0 or opening
  if room <= 0 then at = math.max(at, opens or math.huge) end
  return at
end

-- For watchers: 1 = yes. What holds something else counts as empty.
local function may_start(queue)
  local is_known, at = pcall(opening_of_queue, queue)
  return is_known and at and at <= now and 1 or 0
end
