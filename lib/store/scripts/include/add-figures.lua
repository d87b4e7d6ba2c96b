-- What a worker has counted is added to the buckets of now: one for the minute, the quarter of an hour, six hours. Each
-- is written every time, so that no job has to roll them up. The first who comes in a stretch adds how the queue stands.

--- @include queue
--- @include depths
--- @include oldest

-- Seconds: how long a stretch is, and for how long it is kept. lib/wire/figures.ts has the same.
local TIERS = { { 60, 10800 }, { 900, 259200 }, { 21600, 7776000 } }
-- Names in a bucket; what comes beyond that is counted without its name.
local MOST_NAMES = 50

local function sample_of(name)
  local depths, queue = depths_of(name)
  -- Those that are due are no retries that wait; this is where they go when no others come.
  redis.pcall('ZREMRANGEBYSCORE', queue.retrying, '-inf', score(now))
  return cmsgpack.pack({
    [100] = depths.queued, [101] = depths.started, [102] = depths.scheduled, [103] = depths.failed,
    [104] = depths.retrying, [105] = depths.overdue, [106] = tonumber(oldest_of(queue, depths.is_common)) or 0,
  })
end

-- jobs: list of name ('' = all others), list of code, count, ...
local function add_jobs(key, jobs)
  local is_full = redis.call('HLEN', key) > MOST_NAMES
  local sums, order = {}, {}
  for _, job in ipairs(jobs) do
    local field = 'j:' .. job[1]
    local stored = redis.call('HGET', key, field)
    if not stored and is_full then
      field = 'j:'
      stored = redis.call('HGET', key, field)
    end
    if not sums[field] then
      local is_known, packed = pcall(cmsgpack.unpack, stored or '')
      sums[field] = is_known and type(packed) == 'table' and packed or {}
      order[#order + 1] = field
    end
    local counts = job[2]
    for at = 1, #counts, 2 do
      local code = counts[at]
      sums[field][code] = (tonumber(sums[field][code]) or 0) + counts[at + 1]
    end
  end
  for _, field in ipairs(order) do redis.call('HSET', key, field, cmsgpack.pack(sums[field])) end
end

-- name: of a queue
local function add_figures(name, jobs)
  local queue = queue_of({ name = name })
  local sample
  for _, tier in ipairs(TIERS) do
    local length = tier[1]
    local key = string.format('%s%d:%d', queue.stats, length, (seconds - seconds % length) / length)
    if #jobs > 0 then add_jobs(key, jobs) end
    if redis.call('HEXISTS', key, 'g') == 0 then
      sample = sample or sample_of(name)
      redis.call('HSET', key, 'g', sample)
      redis.call('EXPIRE', key, tier[2] + length)
    end
  end
end
