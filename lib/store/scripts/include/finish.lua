-- The one end of a job. Whoever ends it (its worker, the sweep, somebody from outside), status, `ended_at`, registry,
-- time to live, result stream and announcement are written here.
--
-- `finish` writes what Redis could refuse, job by job; what frees memory or is one step for many jobs is gathered in
-- `ending` and done by `conclude` when all have succeeded.

local HISTORY = 10
-- Seconds: a hundred years.
local LONGEST_TTL = 3153600000
local STREAMED_FINISHED, STREAMED_FAILED = 1, 2

local function new_ending()
  return { deleted = {}, finished = {}, failed = {}, canceled = {}, announced = {}, checked = {} }
end

-- Raises when the registry in which jobs are about to end holds something else; to be asked before anything is written.
local function assure_registry(queue, ending, registry)
  if ending.checked[registry] then return end
  redis.call('ZCARD', queue[registry])
  ending.checked[registry] = true
end

-- Seconds as text, of what a job's hash holds. RQ's rule: below 0 is for ever; so is what Redis could not count.
local function ttl_of(text, default)
  local seconds = tonumber(text)
  -- Not a whole number, not a number at all, endless.
  if not seconds or seconds ~= math.floor(seconds) or math.abs(seconds) > 9e15 then return default end
  if seconds < 0 or seconds > LONGEST_TTL then return '-1' end
  return string.format('%d', seconds)
end

local known_ends = {}

-- When something that is kept for ttl seconds is over, as a score.
local function end_of(ttl)
  if not known_ends[ttl] then known_ends[ttl] = string.format('%d', math.floor(now / 1000) + tonumber(ttl)) end
  return known_ends[ttl]
end

local function keep(key, ttl)
  if ttl == '-1' then redis.call('PERSIST', key) else redis.call('EXPIRE', key, ttl) end
end

-- fields: name, value, ...
local function add_result(id, ttl, ...)
  local key = results_prefix .. id
  redis.call('XADD', key, 'MAXLEN', '~', HISTORY, '*', ...)
  keep(key, ttl)
end

-- status: 'finished' | 'failed' | 'stopped' | 'canceled'
-- ttl: seconds as text, '-1' = for ever, '0' = delete it at once
-- ...: what else its hash holds from now on: name, value, ...
-- Answers 'missing' when there is no such job any more, else nothing.
local function finish(ending, id, status, ttl, encoding, text, ...)
  if ttl == '0' then
    add_keys_of(id, ending.deleted)
  else
    local key = job_prefix .. id
    local added = redis.call('HSET', key, 'status', status, 'ended_at', now_text, ...)
    if added == 2 + select('#', ...) / 2 then
      -- Not even a status was there: the job was deleted while it ran, and this is not a job.
      redis.call('DEL', key, results_prefix .. id)
      return 'missing'
    end
    local registry, score
    if status == 'finished' or status == 'canceled' then
      registry, score = ending[status], ttl == '-1' and '+inf' or end_of(ttl)
    else
      registry, score = ending.failed, ttl == '-1' and '-1' or end_of(ttl)
    end
    -- What workers died of before is of no account after an end.
    if status ~= 'finished' then redis.call('HDEL', key, 'nrq_crashes') end
    keep(key, ttl)
    registry[#registry + 1] = score
    registry[#registry + 1] = id
  end
  local announced = ending.announced
  announced[#announced + 1] = { id, status, encoding, text }
end

local function conclude(queue, ending)
  batched('ZADD', queue.finished, ending.finished)
  batched('ZADD', queue.failed, ending.failed)
  batched('ZADD', queue.canceled, ending.canceled)
  batched('DEL', nil, ending.deleted)
  if #ending.announced > 0 and redis.call('EXISTS', queue.watched) == 1 then
    for _, message in ipairs(ending.announced) do announce(queue, unpack(message)) end
  end
end
