-- Batches. A handler may take several jobs at once: those of one lane, in their order. They gather there until there are
-- enough of them, or until the first has waited for long enough. Until then they are queued, and hold nothing.
--
-- Until when the jobs of a lane gather stands in `gathers` (sorted set, microseconds by key). It is believed only while
-- there are too few: a lane that is full is open.

local function gathers(gate) return gate.batch ~= nil and gate.wait > 0 end

-- Jobs have come into a lane whose jobs gather. keeps_turn: they were taken out of it before, and wait for nothing.
local function gather(gate, key, added, keeps_turn)
  if keeps_turn then
    redis.call('ZADD', gate.gathers, 'LT', '0', key)
    redis.call('ZADD', gate.lanes, 'LT', '0', key)
    return
  end
  local until_when = micros(now + gate.wait)
  redis.call('ZADD', gate.gathers, 'NX', until_when, key)
  local length = redis.call('LLEN', gate.lane .. key)
  if length < gate.batch then
    redis.call('ZADD', gate.lanes, 'NX', until_when, key)
  else
    redis.call('ZADD', gate.lanes, length - added < gate.batch and 'LT' or 'NX', now_micros, key)
  end
end

-- Until when a lane still gathers, in milliseconds; nothing: it may be served.
local function gathers_until(gate, key)
  if not gathers(gate) or redis.call('LLEN', gate.lane .. key) >= gate.batch then return nil end
  local moment = tonumber(redis.call('ZSCORE', gate.gathers, key) or '0') / 1000
  return moment > now and moment or nil
end

-- A batch was taken, and these are left: they gather anew. Answers when they may be served.
local function gather_anew(gate, key)
  if not gathers(gate) then return now end
  redis.call('ZADD', gate.gathers, micros(now + gate.wait), key)
  return gathers_until(gate, key) or now
end

-- These lanes are empty.
local function forget_lanes(gate, keys)
  batched('ZREM', gate.lanes, keys)
  if gate.batch then batched('ZREM', gate.gathers, keys) end
end
