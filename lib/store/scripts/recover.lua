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
-- KEYS  1 queue (list)  2 intermediate list  3 started registry  4 finished  5 failed  6 ids that somebody waits for
--       7 RQ's scheduler lock of the queue  8 scheduled registry
-- ARGV  1 key prefix of jobs  2 channel of settled jobs  3 key prefix of the marks of first sight
--       4 crashes that make a job poison  5 failure ttl in seconds of jobs that have none
--       6 milliseconds after which an intermediate id is stale  7 how many entries to handle at most
--       8 text of a poisoned job's failure  9 the same as RQ's result streams hold it  10 key prefix of results
--       11 '1' = results of all jobs are streamed, '' = only of those that Python has written
--       12 channel of the queue's events  13 error of a poisoned job as events tell it, JSON
-- Reply 1 list of id, 'requeued' | 'failed', the event `lost` ('' = it did not run), ...  2 '1' = there is more to do
--       3 milliseconds until the next lease ends or an intermediate id is stale, '' = there is neither
--       4 milliseconds until the next scheduled job is due, '' = none: Python announces none
-- State every id handled is in exactly one structure

--- @include now
--- @include batched
--- @include announce
--- @include events

local queue, intermediate, started = KEYS[1], KEYS[2], KEYS[3]
local prefix, limit = ARGV[1], tonumber(ARGV[7])
local handled, more = {}, ''

local listened = is_listened(ARGV[12])

local function report(id, outcome, event)
  handled[#handled + 1] = id
  handled[#handled + 1] = outcome
  handled[#handled + 1] = event or ''
end

local function tell(event)
  if listened then redis.call('PUBLISH', ARGV[12], event) end
end

local function fail(key, id, ttl, streamed, attempt)
  local lost = event_text('lost', key, id, attempt, '')
  tell(lost)
  tell(event_text('failed', key, id, attempt, ',"error":' .. ARGV[13]))
  redis.call('HSET', key, 'status', 'failed', 'ended_at', now_text, 'exc_info', ARGV[8])
  if ttl == '-1' then
    redis.call('PERSIST', key)
    redis.call('ZADD', KEYS[5], '-1', id)
  elseif ttl == '0' then
    redis.call('DEL', key)
  else
    redis.call('EXPIRE', key, ttl)
    redis.call('ZADD', KEYS[5], string.format('%d', math.floor(now / 1000) + tonumber(ttl)), id)
  end
  if streamed and ttl ~= '0' then
    local results = ARGV[10] .. id
    redis.call('XADD', results, 'MAXLEN', '~', 10, '*', 'type', 2, 'exc_string', ARGV[9])
    if ttl == '-1' then redis.call('PERSIST', results) else redis.call('EXPIRE', results, ttl) end
  end
  announce(KEYS[6], ARGV[2], id, 'failed', 'text', ARGV[8])
  report(id, 'failed', lost)
end

local holder = redis.call('GET', KEYS[7])
if not holder or holder == '0' then redis.call('SET', KEYS[7], '0', 'EX', 61) end

local expired = redis.call('ZRANGEBYSCORE', started, '-inf', score(now - 1), 'LIMIT', 0, limit)
if #expired == limit then more = '1' end
local ended = {}
for _, member in ipairs(expired) do
  local id = string.match(member, '^(.*):') or member
  local key = prefix .. id
  local job = redis.pcall('HMGET', key, 'status', 'nrq_crashes', 'retries_left', 'failure_ttl', 'nrq_attempts',
    'success_callback_name')
  -- A Python worker enters the registry before it marks the job, so `queued` is a crash too, unless the id still waits.
  local crashed = not job.err and (job[1] == 'started' or (job[1] == 'queued'
    and not redis.call('LPOS', queue, id) and not redis.call('LPOS', intermediate, id)))
  if crashed then
    local crashes = (tonumber(job[2]) or 0) + 1
    local attempt = string.format('%d', (tonumber(job[5]) or 0) + 1)
    redis.call('HSET', key, 'nrq_crashes', string.format('%d', crashes),
      'nrq_attempts', attempt, 'nrq_attempt:' .. attempt,
      '{"outcome":"lost","error":"WorkerCrashed","message":"the worker stopped renewing its lease","endedAt":"' .. now_text .. '"}')
    if crashes >= tonumber(ARGV[4]) then
      local ttl = tonumber(job[4]) and string.format('%d', tonumber(job[4])) or ARGV[5]
      fail(key, id, ttl, ARGV[11] == '1' or job[6], attempt)
    else
      local left = tonumber(job[3])
      if left and left > 0 then redis.call('HSET', key, 'retries_left', string.format('%d', left - 1)) end
      redis.call('HSET', key, 'status', 'queued', 'enqueued_at', now_text)
      redis.call('LPUSH', queue, id)
      local lost = event_text('lost', key, id, attempt, '')
      tell(lost)
      report(id, 'requeued', lost)
    end
  end
  ended[#ended + 1] = member
end
batched('ZREM', started, ended)

local next_look
for _, id in ipairs(redis.call('LRANGE', intermediate, 0, limit - 1)) do
  local mark = ARGV[3] .. id
  local first_seen = tonumber(redis.call('GET', mark) or '')
  if not first_seen then
    redis.call('SET', mark, string.format('%.3f', now / 1000), 'EX', 86400)
    first_seen = now / 1000
  end
  local left = first_seen * 1000 + tonumber(ARGV[6]) - now
  if left > 0 then
    next_look = math.min(next_look or left, left)
  else
    local status = redis.pcall('HGET', prefix .. id, 'status')
    if status == 'queued' and not redis.call('LPOS', queue, id) then
      redis.call('LPUSH', queue, id)
      report(id, 'requeued')
    end
    redis.call('LREM', intermediate, 1, id)
    redis.call('DEL', mark)
  end
end

for registry = 4, 5 do
  local over = redis.call('ZRANGEBYSCORE', KEYS[registry], '0', score(now - 1), 'LIMIT', 0, limit)
  if #over == limit then more = '1' end
  batched('ZREM', KEYS[registry], over)
end

local next_end = redis.call('ZRANGE', started, 0, 0, 'WITHSCORES')
if next_end[1] then
  local left = tonumber(next_end[2]) * 1000 - now
  next_look = math.min(next_look or left, left)
end
local function milliseconds(value)
  return value and string.format('%.0f', math.max(0, math.ceil(value))) or ''
end

local next_due = redis.call('ZRANGE', KEYS[8], 0, 0, 'WITHSCORES')
return { handled, more, milliseconds(next_look), milliseconds(next_due[1] and tonumber(next_due[2]) * 1000 - now) }
