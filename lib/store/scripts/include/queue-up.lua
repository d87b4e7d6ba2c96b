-- The one way into a queue: whoever puts jobs where they wait, does it here. The push comes first: when Redis refuses
-- it, nothing has been changed.

--- @include rights

-- Puts jobs to the tail or (front) the head; the first of the list comes first in the queue in both cases.
local function push(queue, ids, front)
  if not front then
    batched('RPUSH', queue.list, ids)
  else
    local reversed = {}
    for index = #ids, 1, -1 do reversed[#reversed + 1] = ids[index] end
    batched('LPUSH', queue.list, reversed)
  end
end

-- They are ready to run from now on.
local function queue_up_all(queue, ids, front)
  if #ids > 0 then assure_right('HSET', job_prefix .. ids[1]) end
  push(queue, ids, front)
  for _, id in ipairs(ids) do
    redis.call('HSET', job_prefix .. id, 'status', 'queued', 'enqueued_at', now_text)
  end
end

local function queue_up(queue, id, front)
  assure_right('HSET', job_prefix .. id)
  redis.call(front and 'LPUSH' or 'RPUSH', queue.list, id)
  redis.call('HSET', job_prefix .. id, 'status', 'queued', 'enqueued_at', now_text)
end

-- It was ready before and has not run: back to the head, as if it had never been taken.
local function put_back(queue, id)
  assure_right('HSET', job_prefix .. id)
  redis.call('LPUSH', queue.list, id)
  redis.call('HSET', job_prefix .. id, 'status', 'queued')
end
