-- Where in the queue jobs stand that are to be taken out of it: to look for each by itself would read the whole list for
-- each. So a part of the list is read once, from a little before the place where the first of them is expected.

local BEFORE, READ = 500, 4000

local places

-- id -> 0-based index, of those in the part that is read.
local function places_in_queue(queue, selection)
  if places then return places end
  places = {}
  local first, ids = selection.first, selection.ids
  if place ~= 'queued' then
    first = math.max(0, first - BEFORE)
    ids = redis.call('LRANGE', queue.list, first, first + READ - 1)
  end
  -- The first of two that are the same: it is the one that would run.
  for index = #ids, 1, -1 do places[ids[index]] = first + index - 1 end
  return places
end
