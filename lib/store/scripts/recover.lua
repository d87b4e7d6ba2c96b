-- Finds what crashed workers left behind and puts it right; any worker may run it at any time.
--
-- An execution whose lease has ended is a crash: the job goes back to the head of its queue, spending a retry if it
-- has one, and fails as poison when it has crashed too often. An id that stays in the intermediate list was popped
-- by a worker that died before it claimed it: back to the head, nothing spent. Entries of the finished and failed
-- registries whose time is over are dropped (their jobs have expired by themselves).
--
-- While our workers look after a queue they hold RQ's scheduler lock: they move due jobs themselves, and Python's
-- schedulers, which could push an id a second time, leave the queue alone.
--
-- Flags allow-oom
-- KEYS  list              the queue
-- ARGV  prefix            how the names of all keys begin
--       channels          how the names of our channels begin
--       queue             name of the queue
--       max_crashes       crashes that make a job poison
--       failure_ttl       in seconds, of jobs that have none
--       stale             milliseconds after which an intermediate id is stale
--       most              how many entries to handle at most
--       failure           text of a poisoned job's failure
--       streamed_failure  the same as RQ's result streams hold it
--       streams_all       '1' = results of all jobs are streamed, '' = only of those that Python has written
--       error             of a poisoned job as events tell it, JSON
-- Reply 1 list of id, 'requeued' | 'failed', the event `lost` ('' = it did not run), ...  2 '1' = there is more to do
--       3 milliseconds until the next lease ends or an intermediate id is stale, '' = there is neither
--       4 milliseconds until the next scheduled job is due, '' = none: Python announces none
-- State every id handled is in exactly one structure

--- @include now
--- @include batched
--- @include queue
--- @include queue-up
--- @include announce
--- @include events
--- @include finish

local queue = queue_named(ARGV.queue)
local most = tonumber(ARGV.most)
local handled, more = {}, ''
local ending = new_ending()
local listened = is_listened(queue)

local function report(id, outcome, event)
  handled[#handled + 1] = id
  handled[#handled + 1] = outcome
  handled[#handled + 1] = event or ''
end

local function tell(event)
  if listened then redis.pcall('PUBLISH', queue.events, event) end
end

local function fail_as_poison(id, ttl, streamed, attempt)
  local lost = event_text('lost', id, attempt, '')
  tell(lost)
  tell(event_text('failed', id, attempt, ',"error":' .. ARGV.error))
  if streamed and ttl ~= '0' then
    -- Its key may hold something else; the failure is in the hash, too.
    pcall(add_result, id, ttl, 'type', STREAMED_FAILED, 'exc_string', ARGV.streamed_failure)
  end
  finish(ending, id, 'failed', ttl, 'text', ARGV.failure, 'exc_info', ARGV.failure)
  report(id, 'failed', lost)
end

-- Nothing is changed when a place holds something else or may not be written to.
for _, list in ipairs({ queue.list, queue.intermediate }) do
  redis.call('LLEN', list)
  assure_right('LPUSH', list)
end
for _, registry in ipairs({ 'started', 'scheduled', 'finished', 'failed' }) do
  redis.call('ZCARD', queue[registry])
  assure_right('ZREM', queue[registry])
end
for _, command in ipairs({ 'HSET', 'HGET', 'HMGET' }) do assure_right(command, job_prefix) end
assure_right('LPOS', queue.list)
assure_right('LREM', queue.intermediate)
assure_registry(queue, ending, 'failed')

-- Hold the scheduler lock.
local holder = redis.pcall('GET', queue.scheduler_lock)
if not holder or holder == '0' then redis.pcall('SET', queue.scheduler_lock, '0', 'EX', 61) end

-- Crashes.
local expired = redis.call('ZRANGEBYSCORE', queue.started, '-inf', score(now - 1), 'LIMIT', 0, most)
if #expired == most then more = '1' end
local ended = {}
for _, member in ipairs(expired) do
  local id = string.match(member, '^(.*):') or member
  local key = job_prefix .. id
  local job = redis.pcall('HMGET', key, 'status', 'nrq_crashes', 'retries_left', 'failure_ttl', 'nrq_attempts',
    'success_callback_name')
  -- A Python worker enters the registry before it marks the job, so `queued` is a crash too, unless the id still waits.
  local crashed = not job.err and (job[1] == 'started' or (job[1] == 'queued'
    and not redis.call('LPOS', queue.list, id) and not redis.call('LPOS', queue.intermediate, id)))
  if crashed then
    local crashes = (tonumber(job[2]) or 0) + 1
    local attempt = string.format('%d', (tonumber(job[5]) or 0) + 1)
    redis.call('HSET', key, 'nrq_crashes', string.format('%d', crashes),
      'nrq_attempts', attempt, 'nrq_attempt:' .. attempt,
      '{"outcome":"lost","error":"WorkerCrashed","message":"the worker stopped renewing its lease","endedAt":"' .. now_text .. '"}')
    if crashes >= tonumber(ARGV.max_crashes) then
      local ttl = tonumber(job[4]) and string.format('%d', tonumber(job[4])) or ARGV.failure_ttl
      fail_as_poison(id, ttl, ARGV.streams_all == '1' or job[6], attempt)
    else
      local left = tonumber(job[3])
      if left and left > 0 then redis.call('HSET', key, 'retries_left', string.format('%d', left - 1)) end
      queue_up(queue, id, true)
      local lost = event_text('lost', id, attempt, '')
      tell(lost)
      report(id, 'requeued', lost)
    end
  end
  ended[#ended + 1] = member
end
conclude(queue, ending)
batched('ZREM', queue.started, ended)

-- Ids that were popped and never claimed.
local next_look
for _, id in ipairs(redis.call('LRANGE', queue.intermediate, 0, most - 1)) do
  local mark = queue.intermediate .. ':first_seen:' .. id
  local seen = redis.pcall('GET', mark)
  local first_seen = type(seen) == 'string' and tonumber(seen)
  if not first_seen then
    redis.pcall('SET', mark, string.format('%.3f', now / 1000), 'EX', 86400)
    first_seen = now / 1000
  end
  local left = first_seen * 1000 + tonumber(ARGV.stale) - now
  if left > 0 then
    next_look = math.min(next_look or left, left)
  else
    local status = redis.pcall('HGET', job_prefix .. id, 'status')
    if status == 'queued' and not redis.call('LPOS', queue.list, id) then
      put_back(queue, id)
      report(id, 'requeued')
    end
    redis.call('LREM', queue.intermediate, 1, id)
    redis.pcall('DEL', mark)
  end
end

-- Entries whose time is over.
for _, registry in ipairs({ 'finished', 'failed' }) do
  local over = redis.call('ZRANGEBYSCORE', queue[registry], '0', score(now - 1), 'LIMIT', 0, most)
  if #over == most then more = '1' end
  batched('ZREM', queue[registry], over)
end

local next_end = redis.call('ZRANGE', queue.started, 0, 0, 'WITHSCORES')
if next_end[1] then
  local left = tonumber(next_end[2]) * 1000 - now
  next_look = math.min(next_look or left, left)
end
local function milliseconds(value)
  return value and string.format('%.0f', math.max(0, math.ceil(value))) or ''
end

local next_due = redis.call('ZRANGE', queue.scheduled, 0, 0, 'WITHSCORES')
return { handled, more, milliseconds(next_look), milliseconds(next_due[1] and tonumber(next_due[2]) * 1000 - now) }
