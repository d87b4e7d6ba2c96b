-- Takes jobs out of the places where they stand, whatever these are. A part of control.lua.

local PLACES = { 'scheduled', 'finished', 'failed', 'canceled', 'deferred', 'retrying' }
-- Stands for an entry that is about to go.
local GONE = 'nrq:gone'

-- Raises when one of the places holds something else or may not be written to: nothing is changed then.
local function assure_places(queue)
  for _, list in ipairs({ queue.list, queue.intermediate }) do
    redis.call('LLEN', list)
    for _, command in ipairs({ 'LREM', 'LSET', 'LTRIM' }) do assure_right(command, list) end
  end
  for _, registry in ipairs(PLACES) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
    assure_right('ZADD', queue[registry])
  end
  redis.call('ZCARD', queue.started)
  assure_right('ZREM', queue.started)
  for _, command in ipairs({ 'HSET', 'HDEL', 'DEL' }) do assure_right(command, job_prefix) end
end

-- Those whose places are known go in one pass through the list; the others are searched for, each by itself.
local function take_out_of_queue(queue, jobs)
  --- @include lines
  local places, last = {}, -1
  local has_popped = redis.call('LLEN', queue.intermediate) > 0
  for _, job in ipairs(jobs) do
    if job.place then
      places[#places + 1] = job.place
      last = math.max(last, job.place)
    end
  end
  if last == #places - 1 then
    -- They are the head of the queue.
    if last >= 0 then redis.call('LTRIM', queue.list, last + 1, -1) end
  else
    for _, index in ipairs(places) do redis.call('LSET', queue.list, index, GONE) end
    redis.call('LREM', queue.list, #places, GONE)
  end
  if not queue.is_plain then
    local waiting = {}
    for _, job in ipairs(jobs) do
      if job.in_lane then waiting[#waiting + 1] = job.id end
    end
    queue.lanes.take_out(waiting)
  end
  for _, job in ipairs(jobs) do
    if job.is_searched then
      for _, list in ipairs(lines_of(queue)) do redis.call('LREM', list, 0, job.id) end
    end
    if has_popped and (job.place or job.is_searched) then redis.call('LREM', queue.intermediate, 0, job.id) end
  end
end

local function take_out(queue, jobs)
  take_out_of_queue(queue, jobs)
  local ids, members = {}, {}
  for index, job in ipairs(jobs) do
    ids[index] = job.id
    for _, member in ipairs(job.executions or {}) do
      members[#members + 1] = member
      end_execution(job.id, string.sub(member, #job.id + 2))
    end
  end
  if not queue.is_plain then queue.lanes.let_keys_go(ids) end
  for _, registry in ipairs(PLACES) do
    -- What is canceled is entered there anew.
    if registry ~= 'canceled' or action ~= 'cancel' then batched('ZREM', queue[registry], ids) end
  end
  batched('ZREM', queue.started, members)
end

-- Ids without a job are in nobody's way any more. Of jobs to come, Python writes the schedule and the deferred registry
-- before the job: those are the sweep's.
local function drop_ghosts(queue, ids)
  if #ids == 0 or (place ~= '' and not ENDED[place]) then return end
  local registries = { 'finished', 'failed', 'canceled' }
  for _, registry in ipairs(registries) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
  end
  for _, registry in ipairs(registries) do batched('ZREM', queue[registry], ids) end
  ended_all(queue, ids, 'gone')
end
