-- Where in the queue jobs stand that are to be taken out of it: to look for each by itself would read the whole list for
-- each. So a part of the list is read once, from a little before the place where the first of them is expected; when it
-- is not there, since others have come or gone, from where it is.

local EARLIER, READ = 100, 1000

local places

local function read_queue(queue, first)
  first = math.max(0, first - EARLIER)
  local ids = redis.call('LRANGE', queue.list, first, first + READ - 1)
  -- The first of two that are the same: it is the one that would run.
  for index = #ids, 1, -1 do places[ids[index]] = first + index - 1 end
  spend(READ / 30)
end

-- The 0-based index of a job; nothing: not known.
local function place_in_queue(queue, selection, index)
  local id = selection.ids[index]
  if place == 'queued' then return selection.first + index - 1 end
  if not places then
    places = {}
    read_queue(queue, selection.first)
    if not places[id] then
      local found = redis.call('LPOS', queue.list, id)
      spend((found or redis.call('LLEN', queue.list)) / 250)
      if found then
        places = {}
        read_queue(queue, found)
      end
    end
  end
  return places[id]
end
