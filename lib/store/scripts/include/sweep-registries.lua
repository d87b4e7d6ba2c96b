-- Ids without a job in the registries: the jobs have expired, were deleted by somebody else, or never came. One registry
-- after the other, a part in each turn.

-- Entries of a part; milliseconds for which an id may wait for its job, and after which what is noted of it is of another.
local SWEPT, JOB_COMES, IS_OLD = 500, 60000, 86400000
local SWEPT_REGISTRIES = { 'finished', 'failed', 'canceled', 'scheduled' }

local function without_job(ids)
  local keys, ghosts = {}, {}
  for index, id in ipairs(ids) do keys[index] = job_prefix .. id end
  if #keys == 0 or redis.call('EXISTS', unpack(keys)) == #keys then return ghosts end
  for index, id in ipairs(ids) do
    if redis.call('EXISTS', keys[index]) == 0 then ghosts[#ghosts + 1] = id end
  end
  return ghosts
end

-- Python writes the schedule before the job: an id leaves it when its job is missing in two looks, far enough apart.
local function missing_for_long(queue, ids)
  local gone = {}
  for _, id in ipairs(ids) do
    local first = tonumber(redis.call('ZSCORE', queue.late, id) or '')
    local waited = first and now - first * 1000
    if waited and waited > JOB_COMES and waited < IS_OLD then
      gone[#gone + 1] = id
    elseif not waited or waited >= IS_OLD then
      redis.pcall('ZADD', queue.late, score(now), id)
    end
  end
  if #ids > 0 then redis.pcall('EXPIRE', queue.late, 86400) end
  if #gone > 0 then redis.pcall('ZREM', queue.late, unpack(gone)) end
  return gone
end

local function sweep_registries(queue)
  local at = redis.pcall('HGET', queue.sweeps, 'registry')
  local number, cursor = string.match(type(at) == 'string' and at or '', '^([1-4]) (%d+)$')
  number = tonumber(number) or 1
  local registry = SWEPT_REGISTRIES[number]
  local page = redis.call('ZSCAN', queue[registry], cursor or '0', 'COUNT', SWEPT)
  local ids = {}
  -- A small registry comes as a whole, whatever its length.
  for index = 1, math.min(#page[2], 2 * SWEPT), 2 do ids[#ids + 1] = page[2][index] end
  local ghosts = without_job(ids)
  if registry == 'scheduled' then ghosts = missing_for_long(queue, ghosts) end
  batched('ZREM', queue[registry], ghosts)
  ended_all(queue, ghosts, 'gone')
  if page[1] == '0' then number = number % #SWEPT_REGISTRIES + 1 end
  redis.pcall('HSET', queue.sweeps, 'registry', number .. ' ' .. page[1])
  redis.pcall('EXPIRE', queue.sweeps, 86400)
end
