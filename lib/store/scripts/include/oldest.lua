-- For how long the oldest waiting job has been ready to run, of those that may start.

-- Text of a day -> milliseconds since the epoch at its midnight: most jobs of a call are of one day.
local midnights = {}

local function midnight_of(day)
  local year, month, date = string.match(day, '^(%d%d%d%d)%-(%d%d)%-(%d%d)$')
  -- Days since 0000-03-01: leap days then fall at the end of a year.
  local years = tonumber(year) - (tonumber(month) <= 2 and 1 or 0)
  local months = (tonumber(month) + 9) % 12
  local days = 365 * years + math.floor(years / 4) - math.floor(years / 100) + math.floor(years / 400)
    + math.floor((153 * months + 2) / 5) + tonumber(date) - 1 - 719468
  midnights[day] = days * 86400000
  return midnights[day]
end

local function is_date(text) return string.find(text, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d') end

-- Milliseconds since the epoch of a date as RQ writes it. Read by its bytes: a zero is 48, and texts are dear.
local function moment_of(date)
  local day = string.sub(date, 1, 10)
  local h, hh, _, m, mm, _, s, ss, _, t, tt, ttt = string.byte(date, 12, 23)
  local moment = (midnights[day] or midnight_of(day))
    + (h * 10 + hh - 528) * 3600000 + (m * 10 + mm - 528) * 60000 + (s * 10 + ss - 528) * 1000
  if not ttt or ttt < 48 or ttt > 57 then return moment end
  return moment + t * 100 + tt * 10 + ttt - 5328
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

-- The earliest of a line. Jobs wait in the order in which they became ready, but for those that were put in front: each
-- of them is younger than what it was put before. So the first that is younger than the one before it ends the look; at
-- most ten are looked at, and more than two rarely. Dates of the same form compare as texts.
local function earliest_in(list)
  local earliest
  for part = 1, 2 do
    local ids = redis.pcall('LRANGE', list, part == 1 and '0' or '2', part == 1 and '1' or '9')
    for _, id in ipairs(ids.err and {} or ids) do
      local date = ready_since(id)
      if date and date ~= earliest and is_date(date) then
        if earliest and date > earliest then return earliest end
        earliest = date
      end
    end
    if #ids < 2 then return earliest end
  end
  return earliest
end

-- For how long the oldest waiting job has been ready. Milliseconds, '' = none waits.
-- is_common: the queue has no levels, and no lanes.
local function oldest_of(queue, is_common)
  local first = earliest_in(queue.list)
  if not is_common then
    local dates = { first }
    dates[#dates + 1] = earliest_in(queue.high)
    dates[#dates + 1] = earliest_in(queue.low)
    local heads = {}
    pcall(add_open_heads, queue, heads)
    for _, id in ipairs(heads) do dates[#dates + 1] = ready_since(id) end
    for _, date in ipairs(dates) do
      if (not first or date < first) and is_date(date) then first = date end
    end
  end
  return first and math.floor(math.max(0, now - moment_of(first))) or ''
end
