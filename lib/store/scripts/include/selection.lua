-- Which jobs are to be looked at in this call. A part of control.lua.

--- @include in-lanes

-- One script stays below 5 ms. Where each that is looked at is probably changed, fewer are read: the others would be read
-- again.
local SLICE = 500
if ARGV.name == '' and ARGV.after == '' and ARGV.before == '' then SLICE = 300 end

-- Where a slice begins: behind the entry that was the last of the slice before and stays, wherever it stands by now.
local function first_of_slice(queue)
  local offset = tonumber(ARGV.offset)
  if ARGV.behind == '' then return offset end
  local rank
  if place == 'queued' then
    if redis.call('LINDEX', queue.list, offset - 1) == ARGV.behind then return offset end
    rank = redis.call('LPOS', queue.list, ARGV.behind)
    if not rank and not queue.is_plain then return offset end
  else
    rank = redis.call('ZRANK', queue[place], ARGV.behind)
  end
  -- When it is gone, too, some are looked at again.
  return rank and rank + 1 or math.max(0, offset - SLICE)
end

-- ids; entries: as they stand in the place, with their scores (not in the queue); total: of the place; first: where in
-- the queue the first of the ids stands, or may stand
local function select_jobs(queue)
  if place == '' then
    local ids = {}
    for index = INDEX.ids, #ARGV do ids[#ids + 1] = ARGV[index] end
    return { ids = ids, entries = ids, scores = {}, total = 0, first = tonumber(ARGV.offset) }
  end
  local first = first_of_slice(queue)
  if place == 'queued' then
    local ids, total = redis.call('LRANGE', queue.list, first, first + SLICE - 1), redis.call('LLEN', queue.list)
    if not queue.is_plain and queue.list == prefix .. 'queue:' .. queue.name then
      -- Behind the list those in lanes, by turn.
      for _, id in ipairs(#ids < SLICE and queue.lanes.ids(math.max(0, first - total), SLICE - #ids) or {}) do
        ids[#ids + 1] = id
      end
      total = total + in_lanes_of(queue)
    end
    return { ids = ids, entries = ids, scores = {}, total = total, first = first }
  end
  local ids, entries, scores = {}, {}, {}
  local found = redis.call('ZRANGE', queue[place], first, first + SLICE - 1, 'WITHSCORES')
  for at = 1, #found, 2 do
    local entry = found[at]
    entries[#entries + 1] = entry
    ids[#ids + 1] = place == 'started' and string.match(entry, '^(.*):') or entry
    scores[#scores + 1] = found[at + 1]
  end
  return { ids = ids, entries = entries, scores = scores, total = redis.call('ZCARD', queue[place]), first = 0 }
end
