-- For how long the oldest waiting job has been ready to run, of those that may start.

-- Milliseconds since the epoch of a date as RQ writes it; nothing when it is none.
local function moment_of(date)
  local year, month, day, hour, minute, second, rest =
    string.match(date, '^(%d%d%d%d)%-(%d%d)%-(%d%d)T(%d%d):(%d%d):(%d%d)%.?(%d?%d?%d?)')
  if not year then return nil end
  -- Days since 0000-03-01: leap days then fall at the end of a year.
  local years = tonumber(year) - (tonumber(month) <= 2 and 1 or 0)
  local months = (tonumber(month) + 9) % 12
  local days = 365 * years + math.floor(years / 4) - math.floor(years / 100) + math.floor(years / 400)
    + math.floor((153 * months + 2) / 5) + tonumber(day) - 1 - 719468
  return ((days * 24 + tonumber(hour)) * 60 + tonumber(minute)) * 60000 + tonumber(second) * 1000 + (tonumber(rest) or 0)
end

-- The heads of up to twenty lanes that are open. What waits in the others is held up by a limit, and old by design.
local function add_open_heads(queue, ids)
  local lanes = queue.lanes
  if lanes.room_of_queue() <= 0 then return end
  local left = 20
  for _, name in ipairs(redis.call('ZRANGEBYSCORE', queue.gates, '-inf', lanes.now_micros, 'LIMIT', '0', '20')) do
    local gate = left > 0 and lanes.gate_named(name)
    local keys = gate and redis.call('ZRANGEBYSCORE', gate.lanes, '-inf', lanes.now_micros, 'LIMIT', '0', left) or {}
    for _, key in ipairs(keys) do ids[#ids + 1] = redis.call('LINDEX', gate.lane .. key, 0) or nil end
    left = left - #keys
  end
end

-- When a job became ready, as RQ writes it; nothing when it does not say.
local function ready_since(id)
  local date = redis.pcall('HGET', job_prefix .. id, 'enqueued_at')
  if type(date) ~= 'string' or date == '' then date = redis.pcall('HGET', job_prefix .. id, 'created_at') end
  return type(date) == 'string' and date or nil
end

-- Looks at the first ten of each level: jobs that were given back, or were put in front, may be young. Milliseconds, '' = none waits.
-- is_common: it has no levels.
local function oldest_of(queue, is_common)
  local ids = {}
  for _, list in ipairs(is_common and { queue.list } or { queue.list, queue.high, queue.low }) do
    local found = redis.pcall('LRANGE', list, '0', '9')
    for _, id in ipairs(found.err and {} or found) do ids[#ids + 1] = id end
  end
  if not queue.is_plain then pcall(add_open_heads, queue, ids) end
  -- Dates of the same form compare as texts: one alone has to be read.
  local first
  for _, id in ipairs(ids) do
    local date = ready_since(id)
    if date and (not first or date < first) and string.find(date, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d') then
      first = date
    end
  end
  local oldest = first and moment_of(first)
  return oldest and string.format('%.0f', math.max(0, now - oldest)) or ''
end
