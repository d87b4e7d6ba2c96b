-- Refuses jobs for which there is no room: their queue may hold only so many. Each counts that is to be stored, also one
-- for later, since it comes into the queue by itself.

--- @include length

local room = { limits = {} }
for name, most, waits in string.gmatch(ARGV.max_lengths, '([^\n\t]*)\t(%d+)\t([01])\n') do
  room.limits[name] = { most = tonumber(most), waits = waits == '1' }
end

-- Answers nothing when there is room for one more, else 'full LENGTH'.
function room.refusal(queue)
  local limit = room.limits[queue.name]
  if not limit then return nil end
  limit.length = limit.length or length_of(queue)
  if limit.length < limit.most then
    limit.length = limit.length + 1
    return nil
  end
  -- Those that wait are told when jobs have left (see tell-room.lua).
  if limit.waits then redis.call('HSET', queue.flags, 'full', string.format('%d', limit.most)) end
  return 'full ' .. limit.length
end
