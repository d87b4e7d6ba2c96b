-- Jobs that wait for others. RQ's two sets say who waits for whom: `dependents` of a parent, `dependencies` of a child;
-- ours says what becomes of the child when a parent fails (`nrq_if_failed`).
--
-- Of a child of ours, `dependencies` holds only parents that are not over yet; RQ honours a set that has become smaller.
-- A child that is released leaves the sets of all its parents, or RQ would enqueue it once more.
--
-- Whoever waits for a group (see groups.lua) has one parent, '@' and the group's name: no job has such an id.

--- @include statuses
--- @include holders

local function dependents_key(id)
  local name = groups.named_by(id)
  return name and prefix .. 'nrq:group-dependents:' .. name or job_prefix .. id .. ':dependents'
end
local function dependencies_key(id) return job_prefix .. ':' .. id .. ':dependencies' end
-- While children of a parent that is over for good are still to be told: its set has this name.
local function ending_key(id) return prefix .. 'nrq:ending:' .. id end

local queues_named = {}
local function queue_named(name)
  local queue = queues_named[name]
  if not queue then
    queue = queue_of({ name = name, assured = {}, is_heard = false, levels = false })
    queues_named[name] = queue
  end
  return queue
end

-- Who waits for a job that was canceled need not wait for it: its field `nrq_released` says so, by the time of that
-- cancel. Python may have requeued and canceled it since; and it writes dates with more digits.
local function is_released(mark, ended_at)
  return mark and ended_at and string.sub(mark, 1, 19) == string.sub(ended_at, 1, 19)
end

-- How a job has ended: 'finished' | 'failed' | 'stopped' | 'canceled' | 'released' = canceled, and nobody need wait for
-- it | 'gone', nil = it has not. And its queue's name.
local function end_of_parent(id)
  local name = groups.named_by(id)
  if name then return groups.end_of(name) end
  local key = job_prefix .. id
  local job = redis.pcall('HMGET', key, 'status', 'origin', 'created_at', 'nrq_released', 'ended_at')
  if is_not_a_job(job) then return 'gone' end
  if job.err then error(job) end
  local status, origin = job[1], job[2]
  -- A hash without data is no job, by RQ's rule.
  if not job[3] and redis.call('HEXISTS', key, 'data') == 0 then return 'gone' end
  if not has_ended(status) then return nil, origin end
  if origin and not stands_at_end(queue_named(origin), id, status) then
    -- Python may write the status of an earlier end while it runs.
    if holders_of(queue_named(origin))[id] then return nil, origin end
  end
  if status == 'canceled' and is_released(job[4], job[5]) then status = 'released' end
  return status, origin
end

-- What a parent that has ended is to a child: 'met' | 'wait', until it is requeued and succeeds | 'cancel' the child.
-- how: as above, or 'deleted' | 'released' = the child shall not wait for it any more
-- if_failed: of a child of ours, else nil; allows: RQ's `allow_dependency_failures`
local function verdict(how, if_failed, allows)
  if how == 'finished' or how == 'released' or if_failed == 'run' then return 'met' end
  local is_gone = how == 'deleted' or how == 'gone'
  -- RQ's rules: what is missing is met; a stopped or canceled one never is.
  if not if_failed then return (is_gone or how == 'failed' and allows) and 'met' or 'wait' end
  return if_failed == 'wait' and not is_gone and 'wait' or 'cancel'
end

-- The ids in RQ's two fields.
local function parents_in(text, first)
  local is_json, ids = pcall(cjson.decode, text or '')
  local parents = {}
  if is_json and type(ids) == 'table' then
    for _, id in ipairs(ids) do
      if type(id) == 'string' then parents[#parents + 1] = id end
    end
  end
  if #parents == 0 and first and first ~= '' then parents[1] = first end
  return parents
end

-- How many sets one look is for.
local LOOKED_AT_ONCE = 50

-- Takes a child out of the sets of its parents, but for one. Those of parents that have finished are gone: where there are
-- many, one look at a time tells so.
local function leave_sets(id, parents, but)
  local keys = {}
  for _, parent in ipairs(parents) do
    if parent ~= but then keys[#keys + 1] = dependents_key(parent) end
  end
  for first = 1, #keys, LOOKED_AT_ONCE do
    local last = math.min(first + LOOKED_AT_ONCE - 1, #keys)
    if last - first < 3 or redis.pcall('EXISTS', unpack(keys, first, last)) ~= 0 then
      for at = first, last do redis.pcall('SREM', keys[at], id) end
    end
  end
end

-- All that it waited for, whether it is over or not. Read only when it is needed: there may be a thousand.
local function parents_of(id)
  local job = redis.call('HMGET', job_prefix .. id, 'dependency_ids', 'dependency_id', 'nrq_after_group')
  return job[3] and { '@' .. job[3] } or parents_in(job[1], job[2])
end

-- For whoever takes a job out of the deferred registry, whatever its reason: nobody releases it any more.
local function leave_parents(id)
  local is_read, parents = pcall(parents_of, id)
  if not is_read or #parents == 0 then
    -- Its hash has expired: the set is kept longer.
    parents = redis.pcall('SMEMBERS', dependencies_key(id))
  end
  if #parents == 0 then return end
  leave_sets(id, parents)
  redis.pcall('DEL', dependencies_key(id))
end
