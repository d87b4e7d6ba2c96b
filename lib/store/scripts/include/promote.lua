-- Moves due jobs from the scheduled registry to the queue, at most `limit`, and answers with the milliseconds
-- until the next one is due ('' = none). An id without a hash stays for a minute: Python RQ writes the registry
-- before the job.
local function promote(scheduled, queue, prefix, limit)
  local earliest = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
  if not earliest[1] then return '' end
  local patience = 0
  if tonumber(earliest[2]) * 1000 <= now then
    local due = redis.call('ZRANGEBYSCORE', scheduled, '-inf', string.format('%.3f', now / 1000 - 0.0005), 'LIMIT', 0, limit)
    local back, moved = {}, {}
    for _, id in ipairs(due) do
      local job = redis.pcall('HMGET', prefix .. id, 'status', 'enqueue_at_front')
      if job.err or not job[1] then
        local since = tonumber(redis.call('ZSCORE', scheduled, id))
        if job.err or since * 1000 < now - 60000 then moved[#moved + 1] = id else patience = 1000 end
      elseif job[1] == 'scheduled' then
        redis.call('HSET', prefix .. id, 'status', 'queued', 'enqueued_at', now_text)
        if job[2] == '1' then redis.call('LPUSH', queue, id) else back[#back + 1] = id end
        moved[#moved + 1] = id
      else
        moved[#moved + 1] = id
      end
    end
    batched('RPUSH', queue, back)
    batched('ZREM', scheduled, moved)
    earliest = redis.call('ZRANGE', scheduled, 0, 0, 'WITHSCORES')
    if not earliest[1] then return '' end
  end
  return string.format('%.0f', math.max(patience, math.ceil(tonumber(earliest[2]) * 1000 - now)))
end
