-- Moves due jobs from the scheduled registry to the queue, at most `limit`, and answers with the milliseconds
-- until the next one is due ('' = none). An id without a hash stays for a minute: Python RQ writes the registry
-- before the job.
local function promote(queue, limit)
  local earliest = redis.call('ZRANGE', queue.scheduled, 0, 0, 'WITHSCORES')
  if not earliest[1] then return '' end
  local patience = 0
  if tonumber(earliest[2]) * 1000 <= now then
    local due_until = string.format('%.3f', now / 1000 - 0.0005)
    local due = redis.call('ZRANGEBYSCORE', queue.scheduled, '-inf', due_until, 'LIMIT', 0, limit)
    local front, back, moved = {}, {}, {}
    for _, id in ipairs(due) do
      local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'status', 'enqueue_at_front'))
      if job.err or not job[1] then
        local since = tonumber(redis.call('ZSCORE', queue.scheduled, id))
        if job.err or since * 1000 < now - 60000 then moved[#moved + 1] = id else patience = 1000 end
      elseif job[1] == 'scheduled' then
        if job[2] == '1' then
          -- Each goes to the head: of two that are due, the later one comes first.
          table.insert(front, 1, id)
        else
          back[#back + 1] = id
        end
        moved[#moved + 1] = id
      else
        moved[#moved + 1] = id
      end
    end
    if #moved > 0 then assure_right('ZREM', queue.scheduled) end
    if #front > 0 then
      redis.call('LLEN', queue.list)
      assure_right('LPUSH', queue.list)
    end
    queue_up_all(queue, back, false)
    queue_up_all(queue, front, true)
    batched('ZREM', queue.scheduled, moved)
    -- Those behind the ids that are waited for are not held up: the earliest one that is not due yet counts.
    local from = (patience == 0 or #due == limit and #moved > 0) and '-inf' or '(' .. due_until
    earliest = redis.call('ZRANGEBYSCORE', queue.scheduled, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not earliest[1] then return patience > 0 and tostring(patience) or '' end
  end
  local left = math.max(0, tonumber(earliest[2]) * 1000 - now)
  return string.format('%.1f', patience > 0 and math.min(patience, left) or left)
end
