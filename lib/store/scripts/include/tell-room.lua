-- Callers of enqueue that wait at a full queue have left a mark, the number of jobs that it may hold; those that wait for
-- their key have left it in a hash, by lane. They are told as soon as a tenth of that is free.

--- @include length

local function lanes_have_room(queue)
  local has_room, marks = false, redis.pcall('HGETALL', queue.full)
  for at = 1, #marks, 2 do
    local length = redis.pcall('LLEN', prefix .. 'nrq:lane:' .. queue.name .. '\t' .. marks[at])
    if type(length) == 'number' and length < 0.9 * tonumber(marks[at + 1]) then
      has_room = true
      redis.pcall('HDEL', queue.full, marks[at])
    end
  end
  if redis.pcall('EXISTS', queue.full) == 0 then redis.pcall('HDEL', queue.flags, 'full_keys') end
  return has_room
end

local function tell_room(queue)
  local is_known, marks = pcall(queue.lanes.whole_queue)
  if not is_known then return end
  local most = tonumber(marks.full or '')
  local has_room = most and length_of(queue) < 0.9 * most
  if has_room then redis.pcall('HDEL', queue.flags, 'full') end
  if marks.full_keys and lanes_have_room(queue) then has_room = true end
  if has_room then redis.pcall('PUBLISH', queue.wake, 'room') end
end
