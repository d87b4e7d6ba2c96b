-- For how long the oldest waiting job has been ready to run: of those that may start, and of those that a limit holds up.

--- @include ready-since
--- @include limit-uses

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

local function holds_up(uses)
  for _, use in ipairs(uses) do
    if use.stops then return true end
  end
  return false
end

-- The heads of up to ten lanes that a limit holds up; not of those that gather for a batch, or wait for a retry.
local function add_held_heads(queue, ids, holds_all)
  local lanes, left = queue.lanes, 10
  -- Those that open last.
  for _, name in ipairs(redis.call('ZRANGE', queue.gates, '-10', '-1')) do
    local gate = left > 0 and lanes.gate_named(name)
    if gate then
      local holds_gate = holds_all or holds_up(uses_of_handler(lanes, gate))
      local from = holds_gate and '-inf' or '(' .. lanes.now_micros
      for _, key in ipairs(redis.call('ZRANGEBYSCORE', gate.lanes, from, '+inf', 'LIMIT', '0', left)) do
        if holds_gate or holds_up(uses_of_key(lanes, gate, key)) then
          ids[#ids + 1] = redis.call('LINDEX', gate.lane .. key, 0) or nil
          left = left - 1
        end
      end
    end
  end
end

-- For how long the oldest job that a limit holds up has been ready, as far as its lane was looked at. Milliseconds, '' =
-- none is held up.
local function held_of(queue)
  local holds_all, heads = holds_up(uses_of_queue(queue)), {}
  add_held_heads(queue, heads, holds_all)
  local dates = {}
  for _, id in ipairs(heads) do dates[#dates + 1] = ready_since(id) end
  if holds_all then
    for _, list in ipairs({ queue.list, queue.high, queue.low }) do dates[#dates + 1] = earliest_in(list) end
  end
  local first
  for _, date in ipairs(dates) do
    if is_date(date) and (not first or date < first) then first = date end
  end
  if first then return math.floor(math.max(0, now - moment_of(first))) end
  return (holds_all or #heads > 0) and 0 or ''
end
