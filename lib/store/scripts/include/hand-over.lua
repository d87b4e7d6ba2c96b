-- The result of a parent, as it is handed over to a child: JSON, or 'base64:' and Base64 of it. Of one that is too long the
-- child learns only the size. A part of ended.lua.

-- Bytes of a result that is handed over to a child, and of what all children of one parent are handed.
local MOST_HANDED, MOST_HANDED_IN_ALL = 65536, 4194304

-- bytes: handed in this call by parents that had finished before
local handed = { bytes = 0 }

-- What is handed over in place of a result that is too long: how many bytes it had.
function handed.size_of(result)
  local bytes = #result
  if string.sub(result, 1, 7) == 'base64:' then
    bytes = math.floor((bytes - 7) * 3 / 4) - #string.match(result, '=*$', -2)
  end
  return string.format('bytes:%d', bytes)
end

-- The result of a job that has finished, as it is handed over; nil = none, or a pickle of Python's.
function handed.result_of(id)
  local size = redis.pcall('HSTRLEN', job_prefix .. id, 'result')
  if type(size) ~= 'number' then return nil end
  if size > MOST_HANDED then return string.format('bytes:%d', size) end
  if size > 0 then return redis.call('HGET', job_prefix .. id, 'result') end
  local newest = redis.pcall('XREVRANGE', results_prefix .. id, '+', '-', 'COUNT', 1)
  local fields = not newest.err and newest[1] and newest[1][2] or {}
  for at = 1, #fields, 2 do
    local value = fields[at + 1]
    -- A pickle begins with a byte that JSON never begins with.
    if fields[at] == 'return_value' and string.sub(value, 1, 2) ~= 'gA' then
      value = 'base64:' .. value
      return #value <= MOST_HANDED and value or handed.size_of(value)
    end
  end
end

-- What one that has finished before is handed from; what is too much for one call, the child reads from the parent.
function handed.hand_from(parent, child)
  local field = 'nrq_parent:' .. parent
  if handed.bytes > MOST_HANDED_IN_ALL or redis.pcall('HEXISTS', child.key, field) == 1 then return end
  local result = handed.result_of(parent)
  if not result then return end
  redis.pcall('HSET', child.key, field, result)
  handed.bytes = handed.bytes + #result
end

-- Whether the result of a parent that has ended is handed over, or only its size, to so many children.
function handed.decide(entry, count)
  local result = entry.result
  if string.sub(result, 1, 6) == 'bytes:' then
    entry.size, entry.result = result, nil
    return
  end
  entry.hands_over = #result <= MOST_HANDED and #result * count <= MOST_HANDED_IN_ALL
  if not entry.hands_over then entry.size = handed.size_of(result) end
  if #result > MOST_HANDED then entry.result = nil end
end

-- The parent's result, to a child: it outlives the parent there. entry.result: JSON, or 'base64:' and Base64 of it.
-- A child of Python's looks for it in RQ's stream of the parent. entry.size: of one that is too long, see `handed.size_of`
function handed.hand_over(entry, child)
  local result = entry.result
  local text = entry.size or entry.hands_over and result
  if child.if_failed and text then
    local field, later = 'nrq_parent:' .. entry.id, child.handing
    if later then
      later[#later + 1], later[#later + 2] = field, text
    else
      redis.pcall('HSET', child.key, field, text)
    end
  end
  if not result then return end
  if not child.if_failed and not entry.is_streamed and string.sub(result, 1, 7) ~= 'base64:' then
    --- @include stream-result
    entry.is_streamed = true
    pcall(stream_result, entry.id, result)
  end
end
