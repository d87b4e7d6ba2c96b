-- The only place where the end of a job is written. Whoever ends it (its worker, the sweep, somebody from outside) calls
-- this, which writes its status, `ended_at`, registry, time to live and announcement. RQ's result stream is written in
-- results.lua.
--
-- An end takes two steps. `finish` is called for each job, and does the writes that Redis could refuse. It notes
-- the others in `ending`, a table that is empty at first: what frees memory, and what one command does for many jobs. When
-- `finish` has succeeded for all, `conclude` does what was noted. `ending.is_unhurt`: no worker has died of the next job.

local REGISTRIES = { 'finished', 'failed', 'canceled' }
-- Seconds: a hundred years.
local LONGEST_TTL = 3153600000

-- Seconds as text, of what a job's hash holds. RQ's rule: below 0 is for ever; so is more than LONGEST_TTL.
local function ttl_of(text, default)
  local seconds = tonumber(text)
  -- What is not a whole, finite number: the default holds.
  if not seconds or seconds ~= math.floor(seconds) or math.abs(seconds) > 9e15 then return default end
  if seconds < 0 or seconds > LONGEST_TTL then return '-1' end
  return string.format('%d', seconds)
end

-- When something that is kept for ttl seconds expires: `score` as a registry holds it, and `moment` in milliseconds, so
-- that Redis need not compute it.
local function end_of(ending, ttl)
  if ending.ttl ~= ttl then
    local over = seconds + tonumber(ttl)
    ending.ttl, ending.score = ttl, string.format('%d', over)
    ending.moment = string.format(over < 1e12 and '%d%03d' or '%.0f%03d', over, milliseconds)
  end
  return ending
end

-- RQ writes -1 for failed jobs that are kept for ever.
local function for_ever(registry) return registry == 'failed' and '-1' or '+inf' end

-- Enters a job in the registry of its end; `conclude` writes that, unless `ending.is_entered` says that it is done.
local function enter(ending, id, status, ttl)
  local registry = status == 'stopped' and 'failed' or status
  local list = ending[registry] or {}
  ending[registry] = list
  local count = #list
  list[count + 1] = ttl == '-1' and for_ever(registry) or end_of(ending, ttl).score
  list[count + 2] = id
end

-- Those who wait for the job are told by `conclude`.
local function announce_later(queue, ending, id, status, encoding, text)
  if ending.is_watched == nil then ending.is_watched = redis.pcall('EXISTS', queue.watched) == 1 end
  if ending.is_watched then
    local announced = ending.announced or {}
    ending.announced = announced
    announced[#announced + 1] = { id, status, encoding, text }
  end
end

-- status: 'finished' | 'failed' | 'stopped' | 'canceled'
-- ttl: seconds as text, '-1' = for ever, '0' = delete it at once
-- ...: what else its hash holds from now on: name, value, ...
-- Answers 'missing' when there is no such job any more, else nothing.
local function finish(queue, ending, id, status, ttl, encoding, text, ...)
  if ttl == '0' then
    local deleted = ending.deleted or {}
    ending.deleted = deleted
    add_keys_of(id, deleted)
  else
    local key = job_prefix .. id
    local added = redis.call('HSET', key, 'status', status, 'ended_at', now_text, ...)
    if added == 2 + select('#', ...) / 2 then
      -- Not even a status was there: the job was deleted while it ran, and this is not a job.
      redis.call('DEL', key, results_prefix .. id)
      return 'missing'
    end
    -- What workers died of before is of no account after an end.
    if status ~= 'finished' and not ending.is_unhurt then redis.pcall('HDEL', key, 'nrq_crashes') end
    if ttl == '-1' then
      redis.pcall('PERSIST', key)
    elseif redis.pcall('PEXPIREAT', key, end_of(ending, ttl).moment) ~= 1 then
      -- What cannot be given an end (a number too large, no right) is kept.
      ttl = '-1'
      if ending.is_entered then
        local registry = status == 'stopped' and 'failed' or status
        redis.pcall('ZADD', queue[registry], for_ever(registry), id)
      end
    end
    if not ending.is_entered then enter(ending, id, status, ttl) end
  end
  announce_later(queue, ending, id, status, encoding, text)
end

-- Writes the registries of the ends that were entered. Answers those that could not be written, with the reason.
local function write_registries(queue, ending)
  local obstacles = {}
  for _, registry in ipairs(REGISTRIES) do
    if ending[registry] then
      local written, problem = pcall(batched, 'ZADD', queue[registry], ending[registry])
      if not written then
        --- @include error-text
        obstacles[registry] = error_text(problem)
      end
    end
  end
  return obstacles
end

local function conclude(queue, ending)
  if not ending.is_entered then write_registries(queue, ending) end
  if ending.deleted then batched('DEL', nil, ending.deleted) end
  if ending.announced then
    --- @include announce
    for _, message in ipairs(ending.announced) do announce(queue, unpack(message)) end
  end
end
