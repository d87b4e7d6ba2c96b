-- Puts each job to the jobs of its level. Levels are lists of RQ, which Python's workers can serve: `NAME!high`, `NAME!low`.

--- @include ring

local function push_by_level(queue, ids, front)
  local others, levels = {}, { high = {}, low = {} }
  for _, id in ipairs(ids) do
    local list = levels[queue.levels[id]] or others
    list[#list + 1] = id
  end
  push_to(queue.list, others, front)
  if #levels.high + #levels.low == 0 then return end
  for level, list in pairs(levels) do
    push_to(queue[level], list, front)
    if #list > 0 then redis.pcall('SADD', prefix .. 'queues', queue[level]) end
  end
  redis.call('HSET', queue.flags, 'levels', '1')
  queue.is_plain = false
  -- Who puts more jobs there in its call, or claims some, rings when all is done: the bell must not pass them.
  if not queue.closes_later then
    ring(queue)
  end
end
