-- Windows of rates: never more than `max` starts in any span of `per` milliseconds, however that span is laid. The starts
-- of the last span are kept as MessagePack: their sum, then time, count, time, count ... in their order.

-- Of more starts than that, those of one part of the span are one entry, with the time of the part's end: never too many.
local PARTS = 50

-- How many may start now; the starts that still count; when the next may start, if none may now.
local function room_in(key, max, per)
  local text = redis.call('GET', key)
  if not text then return max, { sum = 0, list = { 0 }, first = 2 } end
  local list = cmsgpack.unpack(text)
  local sum, first = list[1], 2
  while list[first] and list[first] + per <= now do
    sum = sum - list[first + 1]
    first = first + 2
  end
  -- A limit that was lowered opens when enough of them are over.
  local opens, left, at = nil, sum, first
  while list[at] and left >= max do
    opens, left = list[at] + per, left - list[at + 1]
    at = at + 2
  end
  return max - sum, { sum = sum, list = list, first = first }, opens
end

-- Of `starts`, as `room_in` has found them, there are `count` more.
local function note_starts(key, starts, count, max, per)
  local at, list = now, starts.list
  if max > PARTS then
    local part = per / PARTS
    at = (math.floor(now / part) + 1) * part
  end
  if starts.first > 2 then
    list = { 0, unpack(list, starts.first) }
    starts.list, starts.first = list, 2
  end
  if #list > 2 and list[#list - 1] == at then
    list[#list] = list[#list] + count
  else
    list[#list + 1] = at
    list[#list + 1] = count
  end
  starts.sum = starts.sum + count
  list[1] = starts.sum
  redis.call('SET', key, cmsgpack.pack(list), 'PX', string.format('%.0f', math.ceil(per + per / PARTS)))
end
