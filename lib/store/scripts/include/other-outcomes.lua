-- The outcomes of executions but for the most frequent one.
--
-- The place where a job goes is written first: when it holds something else, nothing of the job has been changed.

--- @include queue-up
--- @include results
--- @include release-key

-- How many failed attempts are kept.
local HISTORY = 10

-- Counts a failed attempt and keeps its record beside the job; the oldest beyond HISTORY go.
-- ...: what else its hash holds from now on: name, value, ...
local function remember(key, attempt, record, ...)
  redis.call('HSET', key, 'nrq_attempts', attempt, 'nrq_attempt:' .. attempt, record, ...)
  local oldest = tonumber(attempt) - HISTORY
  if oldest > 0 then redis.pcall('HDEL', key, 'nrq_attempt:' .. string.format('%d', oldest)) end
end

-- Raises when the job's fields could not be written after what is written first.
local function assure_hash(key)
  redis.call('HLEN', key)
  assure_right('HSET', job_prefix)
end

-- Adds this run to RQ's result stream, with what RQ itself writes since 2.8.
-- times: place in ARGV of when it began and ended, seconds  ...: name, value, ...
local function add_run(execution, ttl, times, kind, ...)
  add_result(execution.id, ttl, 'type', kind, 'worker_name', execution.worker,
    'execution_id', string.sub(execution.member, #execution.id + 2),
    'execution_started_at', ARGV[times], 'execution_ended_at', ARGV[times + 1], ...)
end

local settle = {}

-- Ends the job, and what hangs on it learns that.
local function finish_run(execution, status, ...)
  local problem = finish(execution.queue, execution.ending, execution.id, status, ...)
  if not problem then release_key(execution.id, status) end
  return problem
end

-- Adds a run to RQ's result stream. times: place in ARGV of when it began and ended
local function stream_result(execution, ttl, times, result)
  assure_hash(execution.key)
  if result == '' then
    add_run(execution, ttl, times, STREAMED_FINISHED)
  else
    add_run(execution, ttl, times, STREAMED_FINISHED, 'return_value', result)
  end
end

-- 1 ttl  2 'stream' | 'hash of more' (something hangs on the job)  3 result ('' = no value)  (of a stream) 4 began  5 ended
function settle.finished(execution, first)
  local ttl, result = ARGV[first], ARGV[first + 2]
  if ARGV[first + 1] ~= 'stream' then
    if result == '' then return finish_run(execution, 'finished', ttl, 'json', result) end
    return finish_run(execution, 'finished', ttl, 'json', result, 'result', result)
  end
  if ttl ~= '0' then stream_result(execution, ttl, first + 3, result) end
  -- Python may have written an earlier one back.
  redis.pcall('HDEL', execution.key, 'result')
  return finish_run(execution, 'finished', ttl, 'base64', result)
end

-- 1 ttl  2 'hash' | 'stream'  3 text for the hash  4 text for the stream  5 attempt  6 record  7 began  8 ended
local function fail(execution, first, status)
  local ttl, place, text = ARGV[first], ARGV[first + 1], ARGV[first + 2]
  if ttl ~= '0' then
    assure_hash(execution.key)
    if place == 'stream' then
      add_run(execution, ttl, first + 6, STREAMED_FAILED, 'exc_string', ARGV[first + 3])
    end
    remember(execution.key, ARGV[first + 4], ARGV[first + 5])
  end
  return finish_run(execution, status, ttl, 'text', text, 'exc_info', text)
end

function settle.failed(execution, first) return fail(execution, first, 'failed') end
function settle.stopped(execution, first) return fail(execution, first, 'stopped') end

-- 1 ttl  2 reason
function settle.canceled(execution, first)
  local ttl, reason = ARGV[first], ARGV[first + 1]
  return finish_run(execution, 'canceled', ttl, 'text', reason, 'nrq_reason', reason)
end

local function put_off(execution, delay, front)
  if delay > 0 then
    assure_right('HSET', job_prefix)
    redis.call('ZADD', execution.queue.scheduled, score(now + delay), execution.id)
    redis.call('HSET', execution.key, 'status', 'scheduled')
    execution.scheduled = execution.scheduled or {}
    execution.scheduled[execution.id] = true
  else
    queue_up(execution.queue, execution.id, front)
  end
end

-- 1 delay in milliseconds  2 'front' | 'back'  3 attempt  4 record  5 retries left, '' = not counted there
-- 6 intervals and 7 own policy to store, '' = as they are  8 '1' = counts in number_of_retries
-- 9 '1' = workers died of it before: this attempt ended by itself, so that the row is broken
function settle.retrying(execution, first)
  local key = execution.key
  put_off(execution, tonumber(ARGV[first]), ARGV[first + 1] == 'front')
  local attempt, record, left = ARGV[first + 2], ARGV[first + 3], ARGV[first + 4]
  if left == '' then
    remember(key, attempt, record)
  else
    -- Python may write back an older number: of the two, the smaller one counts.
    remember(key, attempt, record, 'retries_left', left, 'nrq_retries_left', left)
  end
  if ARGV[first + 5] ~= '' then redis.call('HSET', key, 'retry_intervals', ARGV[first + 5]) end
  if ARGV[first + 6] ~= '' then redis.call('HSET', key, 'nrq_retry', ARGV[first + 6]) end
  if ARGV[first + 7] == '1' and type(redis.pcall('HINCRBY', key, 'number_of_retries', 1)) == 'table' then
    -- It was not a number.
    redis.call('HSET', key, 'number_of_retries', '1')
  end
  if ARGV[first + 8] == '1' then redis.pcall('HDEL', key, 'nrq_crashes') end
end

-- It has finished, and runs again: its result is kept, in no registry of ended jobs. Those who wait for it are told.
-- 1 ttl  2 'stream' | 'hash'  3 result ('' = no value)  4 began  5 ended  6 delay in milliseconds  7 repeats left
-- 8 the round (see fields.ts)  9 retries to give back, '' = none of its own, 'keep' = those that are left
function settle.repeating(execution, first)
  local key, result = execution.key, ARGV[first + 2]
  local is_streamed = ARGV[first + 1] == 'stream'
  assure_hash(key)
  put_off(execution, tonumber(ARGV[first + 5]), false)
  redis.call('HSET', key, 'repeats_left', ARGV[first + 6], 'nrq_round', ARGV[first + 7])
  if is_streamed then
    -- Its place may hold something else; the job goes on.
    pcall(stream_result, execution, ARGV[first], first + 3, result)
  end
  if is_streamed or result == '' then
    redis.pcall('HDEL', key, 'result')
  else
    redis.call('HSET', key, 'result', result)
  end
  local retries = ARGV[first + 8]
  if retries == '' then
    -- The handler's policy was taken over at a failure: the next one takes it anew.
    redis.pcall('HDEL', key, 'retries_left', 'retry_intervals', 'nrq_retry')
  elseif retries ~= 'keep' then
    redis.call('HSET', key, 'retries_left', retries)
  end
  if retries ~= 'keep' then redis.pcall('HDEL', key, 'nrq_retries_left', 'number_of_retries') end
  redis.pcall('HDEL', key, 'nrq_crashes')
  announce_later(execution.queue, execution.ending, execution.id, 'finished', is_streamed and 'base64' or 'json', result)
end

-- 1 delay
function settle.snoozed(execution, first) put_off(execution, tonumber(ARGV[first]), false) end

function settle.released(execution) put_back(execution.queue, execution.id) end
