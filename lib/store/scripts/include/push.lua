-- Puts jobs to the tail or (front) the head.
-- The first of the list comes first in the queue in both cases.
local function push(queue, ids, front)
  if not front then
    batched('RPUSH', queue.list, ids)
  else
    local reversed = {}
    for index = #ids, 1, -1 do reversed[#reversed + 1] = ids[index] end
    batched('LPUSH', queue.list, reversed)
  end
end
