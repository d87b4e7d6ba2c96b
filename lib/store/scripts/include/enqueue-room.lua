-- Refuses jobs for which there is no room: their queue may hold only so many, or their lane. Each counts that is to be
-- stored, also one for later, since it comes into the queue by itself.

--- @include length

local room = { limits = {} }
for name, most, of_key, waits in string.gmatch(ARGV.max_lengths, '([^\n\t]*)\t(%d*)\t(%d*)\t([01])\n') do
  room.limits[name] = { most = tonumber(most), of_key = tonumber(of_key), waits = waits == '1', lanes = {} }
end

-- Those that wait are told when jobs have left (see tell-room.lua).
local function note_waiting(queue, limit, lane)
  if not limit.waits then return end
  if not lane then
    redis.call('HSET', queue.flags, 'full', string.format('%d', limit.most))
    return
  end
  redis.call('HSET', queue.flags, 'full_keys', '1')
  redis.call('HSET', queue.full, lane, string.format('%d', limit.of_key))
  redis.pcall('EXPIRE', queue.full, 3600)
end

-- The lane of a new job, if lanes are limited and it has one.
local function lane_for(queue, limit, first)
  if not limit.of_key then return nil end
  local brought = lane_brought(first)
  if queue.is_plain then return brought end
  return queue.lanes.text_of_new(brought, ARGV[first + JOB.data])
end

-- Answers nothing when there is room for one more, else 'full LENGTH', of a lane 'full LENGTH key'.
function room.refusal(queue, first)
  local limit = room.limits[queue.name]
  if not limit then return nil end
  limit.length = limit.length or limit.most and length_of(queue) or 0
  if limit.most and limit.length >= limit.most then
    note_waiting(queue, limit)
    return 'full ' .. limit.length
  end
  local lane = lane_for(queue, limit, first)
  if lane then
    local length = limit.lanes[lane] or redis.call('LLEN', prefix .. 'nrq:lane:' .. queue.name .. '\t' .. lane)
    if length >= limit.of_key then
      note_waiting(queue, limit, lane)
      return 'full ' .. length .. ' key'
    end
    limit.lanes[lane] = length + 1
  end
  limit.length = limit.length + 1
end
