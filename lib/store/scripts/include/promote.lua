-- Moves due jobs from the scheduled registry to the queue, at most `limit`, and answers with the milliseconds
-- until the next one is due ('' = none). An id without a hash stays for a minute: Python RQ writes the registry
-- before the job.

-- Milliseconds.
local LATE_HASH, LOOK_FOR_HASH = 60000, 1000

-- due_at: when the earliest is due; that is over
local function promote(queue, limit, due_at)
  local patience = patience_with_scheduler(queue)
  if due_at > now - patience then return milliseconds_until(due_at + patience) end

  local due_until = string.format('%.3f', (now - patience) / 1000 - 0.0005)
  local front, back, moved, keeps_time = {}, {}, {}, {}
  local waited_for = 0
  repeat
    local due = redis.call('ZRANGEBYSCORE', queue.scheduled, '-inf', due_until, 'WITHSCORES', 'LIMIT', waited_for, limit)
    local before = #moved
    for at = 1, #due, 2 do
      local id = due[at]
      local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'status', 'enqueue_at_front', 'nrq_crashes'))
      if not job.err and not job[1] and tonumber(due[at + 1]) * 1000 >= now - LATE_HASH then
        waited_for = waited_for + 1
      else
        moved[#moved + 1] = id
        if not job.err and job[1] == 'scheduled' then
          local list = job[2] == '1' and front or back
          list[#list + 1] = id
          -- It was put off because workers died of it (see crashes.lua).
          keeps_time[id] = job[3] and true
        end
      end
    end
    -- A slice of nothing but ids that are waited for does not hold up those behind it.
  until #moved > before or #due < 2 * limit or waited_for >= 10 * limit
  if #moved > 0 then assure_right('ZREM', queue.scheduled) end
  if #front > 0 then
    redis.call('LLEN', queue.list)
    assure_right('LPUSH', queue.list)
  end
  queue_up_all(queue, back, false, keeps_time)
  -- Each goes to the head: of two that are due, the later one comes first.
  local latest_first = {}
  for index = #front, 1, -1 do latest_first[#latest_first + 1] = front[index] end
  queue_up_all(queue, latest_first, true, keeps_time)
  batched('ZREM', queue.scheduled, moved)

  local from = #moved >= limit and '-inf' or '(' .. due_until
  local earliest = redis.call('ZRANGEBYSCORE', queue.scheduled, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local next_at = earliest[2] and tonumber(earliest[2]) * 1000
  if next_at and patience > 0 and next_at <= now then next_at = next_at + patience end
  if waited_for > 0 then next_at = math.min(next_at or math.huge, now + LOOK_FOR_HASH) end
  return milliseconds_until(next_at)
end
