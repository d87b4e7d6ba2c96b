-- Shows the lanes of a queue: who waits behind which gate, by turn.
--
-- KEYS  flags     of the queue (hash)
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       offset    how many lanes are passed over
--       limit     how many at most
-- Reply list of: handler, key, jobs that wait, jobs that run, why none may start ('' = one may), milliseconds since the
--       epoch from which one may ('' = now, or when a slot is free), ...
-- State nothing is changed but for what is over

--- @include now
--- @include batched
--- @include queue

local queue = queue_of({ name = ARGV.queue, flags = KEYS.flags })
if queue.is_plain then return {} end
local lanes, rows = queue.lanes, {}
local offset, limit = tonumber(ARGV.offset), tonumber(ARGV.limit)

-- Why no job of these limits starts now, and until when; nothing: one may.
local function wait_of(total, running, rate, per, rates, limits)
  if limits.rests then return 'snoozed', limits.rests end
  if total and running >= total then
    return total == 0 and 'paused' or 'concurrency', limits.ends and limits.ends < math.huge and limits.ends or nil
  end
  if rate then
    local room, _, opens = lanes.room_in(rates, rate, per)
    if room <= 0 then return 'rate', opens end
  end
end

local function wait_of_lane(gate, key, running)
  local limits = lanes.limits_of(gate, key)
  local rests = limits ~= gate and limits or { ends = gate.ends }
  local why, opens = wait_of(limits.per_key, running, limits.key_rate, limits.key_per, gate.rates .. '\t' .. key, rests)
  if why then return why, opens end
  opens = lanes.gathers_until(gate, key)
  if opens then return 'batch', opens end
  local awaited = gate.is_strict and redis.call('HGET', gate.strict, key)
  if awaited and lanes.waits_for_retry(gate, key) then
    local due = redis.call('ZSCORE', queue.scheduled, awaited)
    return 'retry', due and tonumber(due) * 1000 or nil
  end
  why, opens = wait_of(gate.total, redis.call('ZCARD', gate.held), gate.rate, gate.per, gate.rates, gate)
  if why then return why, opens end
  local whole = lanes.whole_queue()
  return wait_of(whole.total, redis.call('ZCARD', queue.started), whole.rate, whole.per, whole.rates, whole)
end

lanes.each(function(gate, key, waiting)
  if offset > 0 then
    offset = offset - 1
    return false
  end
  local running = lanes.running_of(gate, key)
  local why, opens = wait_of_lane(gate, key, running)
  local row = { gate.name, key, waiting, running, why or '', opens and string.format('%.0f', opens) or '' }
  for _, value in ipairs(row) do rows[#rows + 1] = value end
  limit = limit - 1
  return limit <= 0
end)
return rows
