-- What limits the jobs of a lane, how much of it is used, and what of it keeps them from starting now. For those who look;
-- a claim does not ask this.

-- Rows of one of the three that can be limited.
-- scope: 'key', 'handler' or 'queue'; total, running, rate, per, rates: of it; limits: what says its rest, and its end
local function uses_of(lanes, scope, limits, total, running, rate, per, rates)
  local rows = {}
  if limits.rests then
    rows[1] = { why = 'snoozed', scope = scope, used = '', max = '', per = '', opens = limits.rests, stops = true }
  end
  if total then
    local stops, ends = running >= total, limits.ends and limits.ends < math.huge and limits.ends or nil
    rows[#rows + 1] = {
      why = total == 0 and 'paused' or 'concurrency', scope = scope, used = running, max = total, per = '',
      opens = stops and ends or nil, stops = stops,
    }
  end
  if rate then
    local room, _, opens = lanes.room_in(rates, rate, per)
    local stops = room <= 0
    rows[#rows + 1] = {
      why = 'rate', scope = scope, used = rate - room, max = rate, per = per, opens = stops and opens or nil, stops = stops,
    }
  end
  return rows
end

local function uses_of_key(lanes, gate, key)
  local limits = lanes.limits_of(gate, key)
  local rests = limits ~= gate and limits or { ends = gate.ends }
  return uses_of(lanes, 'key', rests, limits.per_key, lanes.running_of(gate, key), limits.key_rate, limits.key_per,
    gate.rates .. '\t' .. key)
end

local function uses_of_handler(lanes, gate)
  return uses_of(lanes, 'handler', gate, gate.total, redis.call('ZCARD', gate.held), gate.rate, gate.per, gate.rates)
end

local function uses_of_queue(queue)
  local lanes = queue.lanes
  local whole = lanes.whole_queue()
  return uses_of(lanes, 'queue', whole, whole.total, redis.call('ZCARD', queue.started), whole.rate, whole.per, whole.rates)
end

local function add_stops(stops, rows)
  for _, row in ipairs(rows) do
    if row.stops then stops[#stops + 1] = row end
  end
end

-- What keeps the first job of a lane from starting now, the nearest to it first; empty: nothing. Once there are `most`
-- of them it looks no further.
local function stops_of_lane(queue, gate, key, most)
  local lanes, stops = queue.lanes, {}
  add_stops(stops, uses_of_key(lanes, gate, key))
  if #stops >= most then return stops end
  local opens = lanes.gathers_until(gate, key)
  if opens then
    local count = redis.call('LLEN', gate.lane .. key)
    stops[#stops + 1] = { why = 'batch', scope = 'key', used = count, max = gate.batch, per = '', opens = opens }
  end
  local awaited = gate.is_strict and redis.call('HGET', gate.strict, key)
  -- Who may only look cannot put right what is wrong there.
  local is_sure, has_to_wait = true, false
  if awaited then is_sure, has_to_wait = pcall(lanes.waits_for_retry, gate, key) end
  if has_to_wait or not is_sure then
    local due = redis.call('ZSCORE', queue.scheduled, awaited)
    stops[#stops + 1] = {
      why = 'retry', scope = 'key', used = '', max = '', per = '', opens = due and tonumber(due) * 1000 or nil,
      awaited = awaited,
    }
  end
  if #stops >= most then return stops end
  add_stops(stops, uses_of_handler(lanes, gate))
  if #stops < most then add_stops(stops, uses_of_queue(queue)) end
  return stops
end

-- As answers have it. Milliseconds, '' = not known, or not waited for.
local function moment_text(moment)
  return moment and moment < math.huge and string.format('%.0f', math.ceil(moment)) or ''
end
