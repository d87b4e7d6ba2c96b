-- Puts jobs to the tail or (front) the head.
-- The first of the list comes first in the queue in both cases.
local function push_to(list, ids, front)
  if not front then
    batched('RPUSH', list, ids)
  else
    local reversed = {}
    for index = #ids, 1, -1 do reversed[#reversed + 1] = ids[index] end
    batched('LPUSH', list, reversed)
  end
end

local function push(queue, ids, front)
  if not queue.levels then return push_to(queue.list, ids, front) end
  --- @include push-by-level
  push_by_level(queue, ids, front)
end
