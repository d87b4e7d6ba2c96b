-- Shows the lanes of a queue: who waits behind which gate, by turn.
--
-- KEYS  flags     of the queue (hash)
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       offset    how many lanes are passed over
--       limit     how many at most
-- Reply list of: handler, key, jobs that wait, jobs that run, why none may start ('' = one may), milliseconds since the
--       epoch from which one may ('' = now, or when a slot is free), what has the limit that holds them up ('key',
--       'handler', 'queue'), how much of it is used, how much that may be, in how many milliseconds; when the first job
--       became ready, milliseconds since the epoch ('' = it does not say), ...
-- State nothing is changed but for what is over

--- @include now
--- @include batched
--- @include queue
--- @include ready-since
--- @include limit-uses

local queue = queue_of({ name = ARGV.queue, flags = KEYS.flags })
if queue.is_plain then return {} end
local lanes = queue.lanes

local NOTHING = { why = '', scope = '', used = '', max = '', per = '' }
local rows = {}

local function add_row(gate, key, waiting)
  local stop = stops_of_lane(queue, gate, key, 1)[1] or NOTHING
  local first = redis.call('LINDEX', gate.lane .. key, 0)
  local since = first and ready_since(first)
  local row = {
    gate.name, key, waiting, lanes.running_of(gate, key), stop.why, moment_text(stop.opens), stop.scope, stop.used,
    stop.max, stop.per, since and is_date(since) and moment_text(moment_of(since)) or '',
  }
  for _, value in ipairs(row) do rows[#rows + 1] = value end
end

-- What is passed over is not even read: a handler may have a million lanes.
local offset, left = tonumber(ARGV.offset), tonumber(ARGV.limit)
for _, name in ipairs(redis.call('ZRANGE', queue.gates, 0, -1)) do
  local gate = left > 0 and lanes.gate_named(name)
  local count = gate and redis.call('ZCARD', gate.lanes) or 0
  if offset < count then
    for _, key in ipairs(redis.call('ZRANGE', gate.lanes, offset, offset + left - 1)) do
      add_row(gate, key, redis.call('LLEN', gate.lane .. key))
      left = left - 1
    end
  end
  offset = math.max(0, offset - count)
end
return rows
