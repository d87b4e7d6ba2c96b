-- The one way into a queue: whoever puts jobs where they wait, does it here. The push comes first: when Redis refuses
-- it, nothing has been changed.

--- @include push

-- It is ready to run from now on. keeps_time: it was ready before and has not ended by itself since, so that its
-- `enqueued_at` stays.
local function mark_queued(id, keeps_time)
  if keeps_time then
    redis.call('HSET', job_prefix .. id, 'status', 'queued')
  else
    redis.call('HSET', job_prefix .. id, 'status', 'queued', 'enqueued_at', now_text)
  end
end

-- keeps_time: id -> true
local function queue_up_all(queue, ids, front, keeps_time)
  if #ids > 0 then assure_right('HSET', job_prefix) end
  push(queue, ids, front)
  for _, id in ipairs(ids) do mark_queued(id, keeps_time[id]) end
end

local function push_one(queue, id, front)
  if queue.levels then
    push(queue, { id }, front)
  else
    redis.call(front and 'LPUSH' or 'RPUSH', queue.list, id)
  end
end

local may_mark = false

local function queue_up(queue, id, front)
  -- Asked once in a call: that costs as much as a command.
  if not may_mark then assure_right('HSET', job_prefix) end
  may_mark = true
  push_one(queue, id, front)
  mark_queued(id, false)
end

-- It has not run: back to the head, as if it had never been taken.
local function put_back(queue, id)
  assure_right('HSET', job_prefix)
  push_one(queue, id, true)
  mark_queued(id, true)
end
