-- Puts right what crashed workers left behind. Any worker may run it at any time.
--
-- 1. A lease has ended: its worker has crashed. The job goes back to the head of its queue, and spends a retry if it has
--    one. When too many workers have died with it, it fails as poison.
-- 2. An id stays in the intermediate list: a worker has popped it, and died before it claimed the job. It goes back to the
--    head of the queue, and spends nothing.
-- 3. The time of an entry in a registry of ended jobs is over: the job has expired by itself, and the entry is dropped.
-- 4. A job has ended, and not all of its children were told, since that takes several calls. The next children are told.
-- 5. The sweep takes its turn (see include/sweep.lua).
--
-- Flags allow-oom
-- KEYS  list              the queue
-- ARGV  prefix            how the names of all keys begin
--       channels          how the names of our channels begin
--       queue             name of the queue
--       max_crashes       crashes that make a job poison
--       failure_ttl       seconds, for jobs without a failure_ttl of their own
--       lease             milliseconds: of this worker's leases; so old an intermediate id is stale
--       most              how many entries to handle at most
--       failure           text of a poisoned job's failure
--       streamed_failure  the same as RQ's result streams hold it
--       shared            '1' = results of all jobs are streamed, '' = only of those that Python has written
--       error             of a poisoned job as events tell it, JSON
--       new_queue         a queue that has become known lately, of whose waiting jobs some are looked at; '' = none
-- Reply 1 list of id, 'requeued' | 'failed', the event `lost` ('' = the job had not started), ...  2 '1' = there is more to do
--       3 milliseconds until the next lease ends or an intermediate id is stale, '' = there is neither
--       4 milliseconds until the next scheduled job is due, '' = none is known (Python does not announce its own)
--       5 the keys of all queues that are known
-- State every id handled is in exactly one structure

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include results
--- @include crashes
--- @include scheduler
--- @include until
--- @include alive
--- @include executions
--- @include ended

local queue = queue_of({ name = ARGV.queue, closes_later = true })
local most = tonumber(ARGV.most)
local handled, more = {}, ''
local ending = {}
local listened = is_listened(queue)

local function report(id, outcome, event)
  handled[#handled + 1] = id
  handled[#handled + 1] = outcome
  handled[#handled + 1] = event or ''
end

local function tell(event)
  if listened then redis.pcall('PUBLISH', queue.events, event) end
end

--- @include fail-poison-job

-- Nothing is changed when a place holds something else or may not be written to.
for _, list in ipairs({ queue.list, queue.intermediate }) do
  redis.call('LLEN', list)
  for _, command in ipairs({ 'LPUSH', 'LPOS', 'LREM', 'LRANGE' }) do assure_right(command, list) end
end
for _, registry in ipairs({ 'started', 'scheduled', 'finished', 'failed', 'canceled', 'deferred' }) do
  redis.call('ZCARD', queue[registry])
  for _, command in ipairs({ 'ZREM', 'ZSCORE', 'ZRANGE', 'ZRANGEBYSCORE' }) do assure_right(command, queue[registry]) end
end
for _, registry in ipairs({ 'failed', 'canceled' }) do assure_right('ZADD', queue[registry]) end
for _, command in ipairs({ 'HSET', 'HMGET', 'TTL', 'DEL' }) do assure_right(command, job_prefix) end
for _, command in ipairs({ 'GET', 'SET', 'PTTL', 'ZRANGE', 'ZADD' }) do assure_right(command, queue.alive) end
queue.is_plain = queue.is_plain

-- Hold the scheduler lock.
local patience = patience_with_scheduler(queue)
if patience == 0 then redis.pcall('SET', queue.scheduler_lock, OURS, 'EX', 61) end

-- It is lost unless it stands somewhere: Python may write any status at any moment.
local function stands_nowhere(id, status)
  if status == 'started' then return true end
  for _, list in ipairs({ queue.list, queue.intermediate, queue.high, queue.low }) do
    if redis.call('LPOS', list, id) then return false end
  end
  for _, registry in ipairs({ 'scheduled', 'finished', 'failed', 'canceled', 'deferred' }) do
    if redis.call('ZSCORE', queue[registry], id) then return false end
  end
  return true
end

-- Crashes.
local lease = tonumber(ARGV.lease)
local grace, shortest_lease = note_alive(queue, lease)
local expired = {}
if grace == 0 then
  expired = redis.call('ZRANGEBYSCORE', queue.started, '-inf', score(now - 1), 'LIMIT', 0, most)
  if #expired == most then more = '1' end
  -- Each goes to the head: the one that was claimed last comes first, so that the order of those of one worker stays.
  table.sort(expired, function(one, other) return string.match(one, '[^:]*$') > string.match(other, '[^:]*$') end)
end
local ended, poisoned, not_kept, gone = {}, {}, {}, {}
for _, member in ipairs(expired) do
  local id = string.match(member, '^(.*):') or member
  local execution = string.sub(member, #id + 2)
  local key = job_prefix .. id
  local job = redis.pcall('HMGET', key, 'status', 'nrq_crashes', 'retries_left', 'failure_ttl', 'nrq_attempts',
    'success_callback_name', 'enqueued_at', 'nrq_retries_left', 'worker_name', 'nrq_level')
  if not job.err and job[1] and stands_nowhere(id, job[1]) then
    local crashes = crashes_of(job[2], job[7]) + 1
    local attempt = string.format('%d', (tonumber(job[5]) or 0) + 1)
    redis.call('HSET', key, 'nrq_crashes', crash_mark(crashes),
      'nrq_attempts', attempt, 'nrq_attempt:' .. attempt,
      '{"outcome":"lost","error":"WorkerCrashed","message":"the worker stopped renewing its lease","endedAt":"' .. now_text .. '"}')
    if crashes >= tonumber(ARGV.max_crashes) then
      local ttl = ttl_of(job[4], ARGV.failure_ttl)
      fail_as_poison(id, ttl, ARGV.shared == '1' or job[6], attempt, job[9] or '', execution)
      local list = ttl == '0' and not_kept or poisoned
      list[#list + 1] = id
    else
      local left = tonumber(job[3])
      if left and tonumber(job[8]) then left = math.min(left, tonumber(job[8])) end
      if left and left > 0 then
        local text = string.format('%d', left - 1)
        redis.call('HSET', key, 'retries_left', text, 'nrq_retries_left', text)
      end
      note_level(queue, id, job[10])
      queue_up(queue, id, true, { front = true, keeps_turn = true })
      local lost = event_text('lost', id, attempt, '')
      tell(lost)
      report(id, 'requeued', lost)
    end
  end
  end_execution(id, execution)
  if not queue.is_plain then queue.lanes.drop_holder(id, member) end
  ended[#ended + 1] = member
end
conclude(queue, ending)
batched('ZREM', queue.started, ended)
ended_all(queue, poisoned, 'failed')
ended_all(queue, not_kept, 'deleted')

-- Stops of executions that are over.
for _, member in ipairs(redis.pcall('HKEYS', queue.stops)) do
  if not redis.call('ZSCORE', queue.started, member) then redis.pcall('HDEL', queue.stops, member) end
end

-- Ids that were popped and never claimed. What is noted of one is when it was first seen there, and in which state: the
-- same id that was popped again later is another case.
-- Those whose leases are shorter look as often as they need it: so does everybody, lest silence is taken for an outage.
local next_look = shortest_lease < lease and shortest_lease / 2 or nil
local popped = redis.call('LRANGE', queue.intermediate, 0, most - 1)
local seen = {}
local noted = redis.pcall('HGETALL', queue.popped)
for at = 1, #noted, 2 do seen[noted[at]] = noted[at + 1] end
if #noted > 0 or noted.err then redis.pcall('DEL', queue.popped) end
local notes, removed = {}, 0
for _, id in ipairs(popped) do
  local job = redis.pcall('HMGET', job_prefix .. id, 'status', 'enqueued_at', 'started_at', 'nrq_level')
  local state = job.err and '' or (job[2] or '') .. ' ' .. (job[3] or '')
  local since, seen_state = string.match(seen[id] or '', '^(%d+) (.*)$')
  if seen_state ~= state then since = string.format('%.0f', now) end
  local left = math.max(tonumber(since) + lease - now, grace)
  -- Nobody waits for what is no job any more.
  local is_gone = job.err or not job[1] and redis.call('EXISTS', job_prefix .. id) == 0
  if not is_gone and (left > 0 or holders_of(queue)[id]) then
    -- A Python worker has entered it as started, and the process that runs it takes it out of this list.
    if left > 0 then next_look = math.min(next_look or left, left) end
    notes[#notes + 1] = id
    notes[#notes + 1] = since .. ' ' .. state
  else
    local stands = redis.call('LPOS', queue.list, id) or redis.call('LPOS', queue.high, id) or redis.call('LPOS', queue.low, id)
    if not job.err and job[1] == 'queued' and not stands then
      note_level(queue, id, job[4])
      put_back(queue, id)
      report(id, 'requeued')
    end
    redis.call('LREM', queue.intermediate, 1, id)
    removed = removed + 1
    if is_gone and not job.err then gone[#gone + 1] = id end
  end
end
if removed > 0 and #popped == most then more = '1' end
pcall(batched, 'HSET', queue.popped, notes)
if #notes > 0 then redis.pcall('EXPIRE', queue.popped, 86400) end
ended_all(queue, gone, 'gone')

-- Entries whose time is over.
for _, registry in ipairs({ 'finished', 'failed' }) do
  local over = redis.call('ZRANGEBYSCORE', queue[registry], '0', score(now - 1), 'LIMIT', 0, most)
  if #over == most then more = '1' end
  batched('ZREM', queue[registry], over)
end
-- Python enters canceled jobs with the time of the cancel, and keeps them for ever: they get an end here.
local over = redis.call('ZRANGEBYSCORE', queue.canceled, '-inf', score(now - 1), 'LIMIT', 0, most)
if #over == most then more = '1' end
for _, id in ipairs(over) do
  local key = job_prefix .. id
  local job = redis.pcall('HMGET', key, 'status', 'failure_ttl')
  if job.err or job[1] ~= 'canceled' then
    redis.call('ZREM', queue.canceled, id)
  else
    local ttl = ttl_of(job[2], ARGV.failure_ttl)
    local left = redis.call('TTL', key)
    if left < 0 and tonumber(ttl) >= 0 then
      left = math.max(1, tonumber(ttl))
      -- What cannot be given an end is kept.
      if redis.pcall('EXPIRE', key, left) ~= 1 then left = -1 end
    end
    redis.call('ZADD', queue.canceled, left < 0 and '+inf' or string.format('%.0f', math.ceil(now / 1000) + left), id)
  end
end

-- Python tells nobody that it has put jobs into a level.
if redis.call('EXISTS', queue.high, queue.low) > 0 then
  --- @include ring
  redis.call('HSET', queue.flags, 'levels', '1')
  ring(queue)
end

do
  --- @include unique
  --- @include sweep
end

if not queue.is_plain then queue.lanes.close() end

local next_end = redis.call('ZRANGE', queue.started, 0, 0, 'WITHSCORES')
if next_end[1] then
  local left = math.max(tonumber(next_end[2]) * 1000 - now, grace)
  next_look = math.min(next_look or left, left)
end
local next_due = redis.call('ZRANGE', queue.scheduled, 0, 0, 'WITHSCORES')
local due_at = next_due[2] and tonumber(next_due[2]) * 1000
if due_at and due_at <= now then due_at = due_at + patience end
return {
  handled, more, milliseconds_until(next_look and now + math.ceil(next_look)), milliseconds_until(due_at),
  redis.call('SMEMBERS', prefix .. 'queues'),
}
