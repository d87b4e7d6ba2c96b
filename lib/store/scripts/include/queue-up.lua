-- The one way into a queue: whoever puts jobs where they wait for a worker calls this. The id is pushed first, and the
-- job's hash is written after it. So nothing has been changed when Redis refuses the push.

--- @include push

local may_mark = false

-- Makes sure that the hash may be written, before the id is pushed. Once per call: it costs as much as a command.
local function assure_mark()
  if not may_mark then assure_right('HSET', job_prefix) end
  may_mark = true
end

-- The job is ready to run from now on. keeps_time: `enqueued_at` stays, since the job was ready before and has had no
-- outcome of its own since. ...: what else its hash holds from now on: name, value, ...
local function mark_queued(id, keeps_time, ...)
  if keeps_time then
    redis.call('HSET', job_prefix .. id, 'status', 'queued', ...)
  else
    redis.call('HSET', job_prefix .. id, 'status', 'queued', 'enqueued_at', now_text, ...)
  end
end

-- keeps_time: id -> true
-- by_run: in a lane, jobs that have run already go to its head
-- more: in place of keeps_time, what else the hash of each holds from now on: { name, value, ... }
local function queue_up_all(queue, ids, front, keeps_time, by_run, more)
  if #ids == 0 then return end
  assure_mark()
  if queue.is_plain then
    push(queue, ids, front)
  else
    push(queue, queue.lanes.take_in(ids, { front = front, by_run = by_run }), front)
  end
  if not more then
    for _, id in ipairs(ids) do mark_queued(id, keeps_time[id]) end
  elseif #more == 0 then
    for index = 1, #ids do
      redis.call('HSET', job_prefix .. ids[index], 'status', 'queued', 'enqueued_at', now_text)
    end
  else
    for _, id in ipairs(ids) do mark_queued(id, false, unpack(more)) end
  end
end

local function push_one(queue, id, front)
  if queue.levels then
    push(queue, { id }, front)
  else
    redis.call(front and 'LPUSH' or 'RPUSH', queue.list, id)
  end
end

-- lane: how it goes into its lane, should it have one (see lanes.lua); nil: as into the list
-- ...: what else its hash holds from now on: name, value, ...
local function queue_up(queue, id, front, lane, ...)
  assure_mark()
  if queue.is_plain or #queue.lanes.take_in({ id }, lane or { front = front }) > 0 then push_one(queue, id, front) end
  mark_queued(id, false, ...)
end

-- It has not run: back to the head, as if it had never been taken.
local function put_back(queue, id)
  assure_mark()
  if queue.is_plain or #queue.lanes.take_in({ id }, { front = true, keeps_turn = true }) > 0 then
    push_one(queue, id, true)
  end
  mark_queued(id, true)
end
