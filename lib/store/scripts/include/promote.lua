-- Moves due jobs from the scheduled registry to the queue, at most `limit`.
-- Answers with the milliseconds until the next one is due ('' = none). An id without a hash is waited for a minute: Python
-- RQ writes the registry before the job.

-- Milliseconds; and how many such ids are looked at in one of them, however many there are.
local LATE_HASH, LOOK_FOR_HASH, LOOKS = 60000, 1000, 10

-- An id is waited for: it moves back in the registry, so that it holds up nobody. When it was due first is kept in
-- queue.late. Answers nothing when it has been waited for long enough, else the score of the next look.
local function wait_for_hash(queue, id, due)
  local first = redis.call('ZSCORE', queue.late, id) or due
  -- Older than that it was noted of an earlier job of this id.
  if tonumber(first) * 1000 < now - 3 * LATE_HASH then first = due end
  if tonumber(first) * 1000 < now - LATE_HASH then return nil end
  redis.pcall('ZADD', queue.late, first, id)
  redis.pcall('EXPIRE', queue.late, 86400)
  return score(now + math.max(LOOK_FOR_HASH, redis.call('ZCARD', queue.late) / LOOKS))
end

-- due_at: when the earliest is due; that is over
--- @include note-level

local function promote(queue, limit, due_at)
  local patience = patience_with_scheduler(queue)
  if due_at > now - patience then return milliseconds_until(due_at + patience) end

  local due_until = string.format('%.3f', (now - patience) / 1000 - 0.0005)
  local front, back, moved, keeps_time, later, missing = {}, {}, {}, {}, {}, {}
  local due = redis.call('ZRANGEBYSCORE', queue.scheduled, '-inf', due_until, 'WITHSCORES', 'LIMIT', 0, limit)
  for at = 1, #due, 2 do
    local id = due[at]
    local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'status', 'enqueue_at_front', 'nrq_crashes', 'nrq_level'))
    local next_look = not job.err and not job[1] and wait_for_hash(queue, id, due[at + 1])
    if next_look then
      later[#later + 1] = next_look
      later[#later + 1] = id
    else
      moved[#moved + 1] = id
      -- RQ leaves a job that waits for its next round with the status of the last one.
      local is_next_round = not job.err and job[1] == 'finished' and redis.call('HEXISTS', job_prefix .. id, 'repeats_left') == 1
      if not job.err and (job[1] == 'scheduled' or is_next_round) then
        local list = job[2] == '1' and front or back
        list[#list + 1] = id
        if job[4] then note_level(queue, id, job[4]) end
        -- It was put off because workers died of it (see crashes.lua).
        keeps_time[id] = job[3] and true
      elseif not job.err and not job[1] then
        missing[#missing + 1] = id
      end
    end
  end
  if #moved > 0 then assure_right('ZREM', queue.scheduled) end
  if #later > 0 then assure_right('ZADD', queue.scheduled) end
  if #front > 0 then
    redis.call('LLEN', queue.list)
    assure_right('LPUSH', queue.list)
  end
  queue_up_all(queue, back, false, keeps_time, true)
  -- Each goes to the head: of two that are due, the later one comes first.
  local latest_first = {}
  for index = #front, 1, -1 do latest_first[#latest_first + 1] = front[index] end
  queue_up_all(queue, latest_first, true, keeps_time)
  batched('ZREM', queue.scheduled, moved)
  batched('ZADD', queue.scheduled, later)
  if #missing > 0 then ended(missing, 'gone') end
  if #moved > 0 and redis.call('EXISTS', queue.late) == 1 then batched('ZREM', queue.late, moved) end

  local from = #due >= 2 * limit and '-inf' or '(' .. due_until
  local earliest = redis.call('ZRANGEBYSCORE', queue.scheduled, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local next_at = earliest[2] and tonumber(earliest[2]) * 1000
  if next_at and patience > 0 and next_at <= now then next_at = next_at + patience end
  return milliseconds_until(next_at)
end
