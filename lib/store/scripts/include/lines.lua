-- The lists in which jobs wait, in the order in which they are served.
local function lines_of(queue)
  if queue.is_plain then return { queue.list } end
  return { queue.high, queue.list, queue.low }
end
