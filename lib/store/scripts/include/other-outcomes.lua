-- The outcomes of executions but for the most frequent one.
--
-- The place where a job goes is written first: when it holds something else, nothing of the job has been changed.

--- @include queue-up
--- @include results
--- @include let-go

-- How many failed attempts are kept.
local HISTORY = 10

-- Of the records of failed attempts, the oldest go.
local function forget_oldest(key, attempt)
  local oldest = tonumber(attempt) - HISTORY
  if oldest > 0 then redis.pcall('HDEL', key, 'nrq_attempt:' .. string.format('%d', oldest)) end
end

-- Counts a failed attempt and keeps its record beside the job.
local function remember(key, attempt, record)
  redis.call('HSET', key, 'nrq_attempts', attempt, 'nrq_attempt:' .. attempt, record)
  forget_oldest(key, attempt)
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
local function finish_run(execution, status, ttl, ...)
  local problem = finish(execution.queue, execution.ending, execution.id, status, ttl, ...)
  if not problem then let_go(execution.id, status, ttl == '0') end
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

-- place: 'stream' | 'hash of more' (something hangs on the job)  result: '' = no value
function settle.finished(execution, first)
  local ttl, result = ARGV[first + FINISHED.ttl], ARGV[first + FINISHED.result]
  if ARGV[first + FINISHED.place] ~= 'stream' then
    if result == '' then return finish_run(execution, 'finished', ttl, 'json', result) end
    return finish_run(execution, 'finished', ttl, 'json', result, 'result', result)
  end
  if ttl ~= '0' then stream_result(execution, ttl, first + FINISHED.began, result) end
  -- Python may have written an earlier one back.
  redis.pcall('HDEL', execution.key, 'result')
  return finish_run(execution, 'finished', ttl, 'base64', result)
end

-- place: 'hash' | 'stream'  text: for the hash  streamed: the text for the stream  cause: see job/failure-cause
local function fail(execution, first, status)
  local ttl, place, text = ARGV[first + FAILED.ttl], ARGV[first + FAILED.place], ARGV[first + FAILED.text]
  if ttl ~= '0' then
    assure_hash(execution.key)
    if place == 'stream' then
      add_run(execution, ttl, first + FAILED.began, STREAMED_FAILED, 'exc_string', ARGV[first + FAILED.streamed])
    end
    remember(execution.key, ARGV[first + FAILED.attempt], ARGV[first + FAILED.record])
  end
  return finish_run(execution, status, ttl, 'text', text, 'exc_info', text, 'nrq_cause', ARGV[first + FAILED.cause])
end

function settle.failed(execution, first) return fail(execution, first, 'failed') end
function settle.stopped(execution, first) return fail(execution, first, 'stopped') end

function settle.canceled(execution, first)
  local ttl, reason = ARGV[first + CANCELED.ttl], ARGV[first + CANCELED.reason]
  return finish_run(execution, 'canceled', ttl, 'text', reason, 'nrq_reason', reason)
end

-- lane, ...: see queue-up.lua
local function put_off(execution, delay, front, lane, ...)
  if delay > 0 then
    assure_mark()
    redis.call('ZADD', execution.queue.scheduled, score(now + delay), execution.id)
    redis.call('HSET', execution.key, 'status', 'scheduled', ...)
    execution.scheduled = execution.scheduled or {}
    execution.scheduled[execution.id] = true
  else
    queue_up(execution.queue, execution.id, front, lane, ...)
  end
end

-- A retry returns to the head of its lane.
local RETRIES_FIRST = { front = true }

-- delay: milliseconds  place: 'front' | 'back'  retries: those left, '' = not counted there
-- intervals, policy: its own, to be stored, '' = as they are  counts: '1' = in number_of_retries
-- clears: '1' = workers died of it before: this attempt ended by itself, so that the row is broken
-- most: so many jobs may wait for a retry, '' = any number; with more it is refused, and the lease stays
function settle.retrying(execution, first)
  local key, most = execution.key, tonumber(ARGV[first + RETRYING.most])
  local delay = tonumber(ARGV[first + RETRYING.delay])
  if most and delay > 0 and redis.call('ZCOUNT', execution.queue.retrying, '(' .. score(now), '+inf') >= most then
    -- Known to the worker by this text (see RETRYING_FULL).
    error({ err = 'RETRYING FULL' })
  end
  local attempt = ARGV[first + RETRYING.attempt]
  local retries, intervals, policy = ARGV[first + RETRYING.retries], ARGV[first + RETRYING.intervals], ARGV[first + RETRYING.policy]
  local kept = { 'nrq_attempts', attempt, 'nrq_attempt:' .. attempt, ARGV[first + RETRYING.record] }
  if retries ~= '' then
    -- Python may write back an older number: of the two, the smaller one counts.
    kept[5], kept[6], kept[7], kept[8] = 'retries_left', retries, 'nrq_retries_left', retries
  end
  local count = #kept
  if intervals ~= '' then
    kept[count + 1], kept[count + 2] = 'retry_intervals', intervals
    count = count + 2
  end
  if policy ~= '' then kept[count + 1], kept[count + 2] = 'nrq_retry', policy end
  put_off(execution, delay, ARGV[first + RETRYING.place] == 'front', RETRIES_FIRST, unpack(kept))
  forget_oldest(key, attempt)
  if delay > 0 then
    -- For those who look how many wait for a retry; nothing depends on it.
    redis.pcall('ZADD', execution.queue.retrying, score(now + delay), execution.id)
    execution.retrying = true
  end
  if ARGV[first + RETRYING.counts] == '1' and type(redis.pcall('HINCRBY', key, 'number_of_retries', 1)) == 'table' then
    -- It was not a number.
    redis.call('HSET', key, 'number_of_retries', '1')
  end
  if ARGV[first + RETRYING.clears] == '1' then redis.pcall('HDEL', key, 'nrq_crashes') end
end

-- It has finished, and runs again: its result is kept, in no registry of ended jobs. Those who wait for it are told.
-- place: 'stream' | 'hash'  result: '' = no value  delay: milliseconds  repeats: those left  round: see fields.ts
-- retries: those to give back, '' = none of its own, 'keep' = those that are left
function settle.repeating(execution, first)
  local key, result = execution.key, ARGV[first + REPEATING.result]
  local is_streamed = ARGV[first + REPEATING.place] == 'stream'
  assure_hash(key)
  put_off(execution, tonumber(ARGV[first + REPEATING.delay]), false)
  redis.call('HSET', key, 'repeats_left', ARGV[first + REPEATING.repeats], 'nrq_round', ARGV[first + REPEATING.round])
  if is_streamed then
    -- Its place may hold something else; the job goes on.
    pcall(stream_result, execution, ARGV[first + REPEATING.ttl], first + REPEATING.began, result)
  end
  if is_streamed or result == '' then
    redis.pcall('HDEL', key, 'result')
  else
    redis.call('HSET', key, 'result', result)
  end
  local retries = ARGV[first + REPEATING.retries]
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

-- With a scope beyond the job, it goes back to the head of its line, and the whole line rests.
-- scope: 'job' | 'key' | 'handler' | 'queue'
function settle.snoozed(execution, first)
  local delay, scope = tonumber(ARGV[first + SNOOZED.delay]), ARGV[first + SNOOZED.scope]
  if scope == 'job' then
    put_off(execution, delay, false)
    return
  end
  assure_hash(execution.key)
  execution.queue.is_plain = false
  execution.queue.lanes.rest(scope, ARGV[first + SNOOZED.name], execution.id, now + delay)
  put_back(execution.queue, execution.id)
end

-- It has not run: a worker alone could say its lane. gate: limits of its gate, should they not be known here
function settle.sorted(execution, first)
  local queue, lane = execution.queue, ARGV[first + SORTED.lane]
  assure_right('HSET', job_prefix)
  redis.call('HSETNX', queue.flags, 'g:' .. string.match(lane, '^[^\t]*'), ARGV[first + SORTED.gate])
  queue.is_plain = false
  local ran = redis.call('HEXISTS', execution.key, 'nrq_attempts') == 1
  redis.call('HSET', execution.key, 'nrq_lane', lane)
  if #queue.lanes.take_in({ execution.id }, { front = ran }) > 0 then error({ err = 'ERR no lane can be so' }) end
  redis.call('HSET', execution.key, 'status', 'queued')
  if not ran then redis.call('HDEL', execution.key, 'started_at', 'worker_name') end
end

function settle.released(execution) put_back(execution.queue, execution.id) end
