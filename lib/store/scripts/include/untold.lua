-- Children that could not be told of the end of a parent: a right was taken away, or a place of theirs holds something
-- else. Mostly the sweep sees later how the parent has ended. Of one that is over for good nobody knows it then, so it
-- is noted in queue.untold, by a set of those children, and each turn of the sweep tries again. A part of ended.lua.

local untold = {}

function untold.key(id) return prefix .. 'nrq:untold-of:' .. id end

-- What is noted of a parent, here and in queue.ended. cursor: how far its set has been looked through
function untold.pack(entry, cursor)
  return cmsgpack.pack({
    entry.id, entry.how, cursor or '0', entry.result or false, entry.hands_over == true, entry.is_streamed == true,
    entry.size or false,
  })
end

-- Answers nil when it is no note.
function untold.unpack(key, text)
  local read, note = pcall(cmsgpack.unpack, text)
  if not read or type(note) ~= 'table' or type(note[2]) ~= 'string' then return nil end
  return {
    key = key, id = note[1], how = note[2], cursor = note[3], result = note[4] or nil, hands_over = note[5],
    is_streamed = note[6], size = note[7] or nil, is_begun = true,
  }
end

-- Answers false when that cannot be written either: the sweep then sees only that the parent is gone.
function untold.note(queue, key, entry)
  if type(redis.pcall('HSET', queue.untold, key, untold.pack(entry))) ~= 'number' then return false end
  redis.pcall('EXPIRE', queue.untold, KEPT)
  return true
end

-- None could be told.
function untold.note_all(queue, entry)
  if not ENDS_FOR_GOOD[entry.how] then return end
  local key = untold.key(entry.id)
  if redis.pcall('EXISTS', key) == 1 then key = key .. ':' .. string.format('%.0f', now * 1000) end
  if not untold.note(queue, key, entry) then return end
  redis.pcall('RENAME', entry.key, key)
  redis.pcall('EXPIRE', key, KEPT)
end

-- ids: some could not be told.
function untold.note_some(queue, entry, ids)
  if not ENDS_FOR_GOOD[entry.how] then return end
  local key = untold.key(entry.id)
  if not untold.note(queue, key, entry) then return end
  pcall(batched, 'SADD', key, ids)
  redis.pcall('EXPIRE', key, KEPT)
end
