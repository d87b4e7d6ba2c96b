-- Writes one outcome down; answers nothing, or the status that kept it from being written. Only changes that can be
-- refused for lack of memory happen here; what frees memory or takes the job out of a structure is gathered in `after`
-- and done when all these have succeeded. What can fail since a key holds something else comes before the status.

local HISTORY = 10

-- Counts a failed attempt and keeps its record beside the job; the oldest beyond HISTORY go.
local function remember(key, attempt, record)
  redis.call('HSET', key, 'nrq_attempts', attempt, 'nrq_attempt:' .. attempt, record)
  local oldest = tonumber(attempt) - HISTORY
  if oldest > 0 then redis.call('HDEL', key, 'nrq_attempt:' .. string.format('%d', oldest)) end
end

local function keep(key, ttl)
  if ttl == '-1' then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ttl) end
end

local function add_result(key, ttl, ...)
  redis.call('XADD', key, 'MAXLEN', '~', HISTORY, '*', ...)
  keep(key, ttl)
end

local known_ends = {}

-- When something that is kept for ttl seconds is over, as a score.
local function end_of(ttl)
  if not known_ends[ttl] then known_ends[ttl] = string.format('%d', math.floor(now / 1000) + tonumber(ttl)) end
  return known_ends[ttl]
end

local settle = {}

-- 1 ttl  2 'hash' | 'stream'  3 result ('' = no value), unless it is given
function settle.finished(job, first, after, result)
  local ttl, place = ARGV[first], ARGV[first + 1]
  result = result or ARGV[first + 2]
  local key = job.key
  if ttl == '0' then
    after.deleted[#after.deleted + 1] = key
    if place == 'stream' then after.deleted[#after.deleted + 1] = job.results end
  else
    if place == 'stream' then
      if result == '' then
        add_result(job.results, ttl, 'type', 1, 'worker_name', job.worker)
      else
        add_result(job.results, ttl, 'type', 1, 'return_value', result, 'worker_name', job.worker)
      end
    end
    local fields, added = 2
    if place == 'hash' and result ~= '' then
      fields = 3
      added = redis.call('HSET', key, 'status', 'finished', 'ended_at', now_text, 'result', result)
    else
      added = redis.call('HSET', key, 'status', 'finished', 'ended_at', now_text)
    end
    if added == fields then
      -- Not even a status was there: the job was deleted while it ran, and this is no job.
      redis.call('DEL', key)
      return 'missing'
    end
    keep(key, ttl)
    local list = after.finished
    list[#list + 1] = ttl == '-1' and '+inf' or end_of(ttl)
    list[#list + 1] = job.id
  end
  after.announced[#after.announced + 1] = { job.id, 'finished', place == 'stream' and 'base64' or 'json', result }
end

-- 1 ttl  2 'hash' | 'stream'  3 text for the hash  4 text for the stream  5 attempt  6 record
local function end_in_failed_registry(job, first, after, status)
  local ttl, place, text = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  if ttl == '0' then
    after.deleted[#after.deleted + 1] = job.key
    after.deleted[#after.deleted + 1] = job.results
  else
    if place == 'stream' then
      add_result(job.results, ttl, 'type', 2, 'exc_string', ARGV[first + 3], 'worker_name', job.worker)
    end
    redis.call('ZADD', job.failed, ttl == '-1' and '-1' or end_of(ttl), job.id)
    remember(job.key, ARGV[first + 4], ARGV[first + 5])
    redis.call('HSET', job.key, 'status', status, 'ended_at', now_text, 'exc_info', text)
    redis.call('HDEL', job.key, 'nrq_stop')
    keep(job.key, ttl)
  end
  after.announced[#after.announced + 1] = { job.id, status, 'text', text }
end

function settle.failed(job, first, after) end_in_failed_registry(job, first, after, 'failed') end
function settle.stopped(job, first, after) end_in_failed_registry(job, first, after, 'stopped') end

-- 1 delay in milliseconds  2 'front' | 'back'
local function go_back(job, delay, place, after)
  if delay > 0 then
    redis.call('ZADD', job.scheduled, score(now + delay), job.id)
    redis.call('HSET', job.key, 'status', 'scheduled')
    after.scheduled[job.id] = true
  else
    redis.call(place == 'front' and 'LPUSH' or 'RPUSH', job.queue, job.id)
    redis.call('HSET', job.key, 'status', 'queued', 'enqueued_at', now_text)
  end
end

-- 1 delay  2 'front' | 'back'  3 attempt  4 record  5 retries left, '' = not counted there
-- 6 intervals and 7 own policy to store, '' = as they are  8 '1' = counts in number_of_retries
function settle.retrying(job, first, after)
  remember(job.key, ARGV[first + 2], ARGV[first + 3])
  if ARGV[first + 4] ~= '' then redis.call('HSET', job.key, 'retries_left', ARGV[first + 4]) end
  if ARGV[first + 5] ~= '' then redis.call('HSET', job.key, 'retry_intervals', ARGV[first + 5]) end
  if ARGV[first + 6] ~= '' then redis.call('HSET', job.key, 'nrq_retry', ARGV[first + 6]) end
  if ARGV[first + 7] == '1' then redis.call('HINCRBY', job.key, 'number_of_retries', 1) end
  go_back(job, tonumber(ARGV[first]), ARGV[first + 1], after)
end

-- 1 delay
function settle.snoozed(job, first, after)
  go_back(job, tonumber(ARGV[first]), 'back', after)
end

function settle.released(job, _, after)
  go_back(job, 0, 'front', after)
end

-- 1 reason
function settle.canceled(job, first, after)
  redis.call('ZADD', job.canceled, string.format('%d', math.floor(now / 1000)), job.id)
  redis.call('HSET', job.key, 'status', 'canceled', 'ended_at', now_text, 'nrq_reason', ARGV[first])
  after.announced[#after.announced + 1] = { job.id, 'canceled', 'text', ARGV[first] }
end
