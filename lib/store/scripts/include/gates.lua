-- The gates of a queue. A handler with limits or keys has one: its jobs wait behind it, each in the lane of its key, a
-- list. Gates take turns, lanes take turns, and in a lane who came first goes first. What may not start is not looked at:
-- a gate or lane that is full, or has to wait, says in its score when it is to be looked at again.
--
-- A slot is a lease: who has one stands in `held`, and a member there without a lease in the started registry is dropped
-- by the sweep. Nothing is counted up or down, so nothing drifts.
--
-- The limits of a gate are the text of a field of the flags: total, perKey, rate, per, keyRate, keyPer ('-' = none),
-- then '1' if its jobs have keys, and last 'd' = declared by a worker, 't' = made for jobs that bring keys, or to be
-- emptied. Between these two may stand 'bSIZE/WAIT' (its jobs are handed out in batches, see batches.lua) and 's' (strict
-- order, see strict-order.lua).
-- One that was set at run time has the same numbers ('.' = as declared) and the moment in milliseconds when it ends.
--
-- Scores are whole microseconds: fractions make small sorted sets slow. For ever is '+inf'.

--- @include rates

local TAB = '\t'
local NUMBERS = { 'total', 'per_key', 'rate', 'per', 'key_rate', 'key_per' }
local FOR_EVER = math.huge

local function micros(milliseconds)
  return milliseconds == FOR_EVER and '+inf' or string.format('%.0f', math.ceil(milliseconds * 1000))
end
local now_micros = string.format('%.0f', now * 1000)

-- Milliseconds.
local function moment_of(micros_text) return micros_text == 'inf' and FOR_EVER or tonumber(micros_text) / 1000 end

-- Takes over the numbers of a text; answers its words. ...: the names of its numbers
local function take_numbers(limits, text, names)
  local words = {}
  for word in string.gmatch(text, '%S+') do words[#words + 1] = word end
  for index, name in ipairs(names) do
    if words[index] and words[index] ~= '.' then limits[name] = tonumber(words[index]) or false end
  end
  return words
end

-- The same of a text that was set at run time, unless its time is over. Answers when that will be.
local function take_override(limits, text, names)
  local ends = tonumber(string.match(text, '(%S+)$')) or 0
  if ends > 0 and ends <= now then return nil end
  take_numbers(limits, text, names)
  limits.ends = ends > 0 and ends or FOR_EVER
  return limits.ends
end

-- Where order is strict there is never more than one of a key, whatever was set.
local function keep_strict(gate, limits)
  if gate.is_strict then limits.per_key = math.min(limits.per_key or 1, 1) end
end

local gates, wide = {}, nil

-- The gate of a handler; false when it has none.
local function gate_named(name)
  local gate = gates[name]
  if gate ~= nil then return gate end
  local texts = redis.call('HMGET', queue.flags, 'g:' .. name, 'o:' .. name, 's:' .. name)
  gate = false
  if texts[1] then
    local place = queue.name .. TAB .. name
    gate = {
      name = name, lanes = prefix .. 'nrq:lanes:' .. place, lane = prefix .. 'nrq:lane:' .. place .. TAB,
      held = prefix .. 'nrq:held:' .. place, rates = prefix .. 'nrq:rate:' .. place,
      gathers = prefix .. 'nrq:gathers:' .. place, strict = prefix .. 'nrq:strict:' .. place,
    }
    local words = take_numbers(gate, texts[1], NUMBERS)
    gate.is_keyed, gate.is_declared = words[7] == '1', words[#words] == 'd'
    for index = 8, #words - 1 do
      local size, wait = string.match(words[index], '^b(%d+)/(%d+)$')
      if size then
        gate.batch, gate.wait = tonumber(size), tonumber(wait)
      elseif words[index] == 's' then
        gate.is_strict = true
      end
    end
    if texts[2] and not take_override(gate, texts[2], NUMBERS) then redis.pcall('HDEL', queue.flags, 'o:' .. name) end
    gate.rests = tonumber(texts[3] or '')
    if gate.rests and gate.rests <= now then
      redis.pcall('HDEL', queue.flags, 's:' .. name)
      gate.rests = nil
    end
    keep_strict(gate, gate)
    gate.has_own_keys = redis.call('EXISTS', queue.key_limits) == 1
  end
  gates[name] = gate
  return gate
end

-- The limits of the queue as a whole, and its marks. is_anew: they may have changed in this call
local function whole_queue(is_anew)
  if wide and not is_anew then return wide end
  local texts = redis.call('HMGET', queue.flags, 'q', 'oq', 's', 'bell', 'levels', 'full', 'full_keys')
  wide = {
    rates = prefix .. 'nrq:rate:' .. queue.name,
    bell = texts[4], levels = texts[5], full = texts[6], full_keys = texts[7],
  }
  if texts[1] then take_numbers(wide, texts[1], { 'total', 'rate', 'per' }) end
  if texts[2] and not take_override(wide, texts[2], { 'total', 'rate', 'per' }) then
    redis.pcall('HDEL', queue.flags, 'oq')
  end
  wide.rests = tonumber(texts[3] or '')
  if wide.rests and wide.rests <= now then
    redis.pcall('HDEL', queue.flags, 's')
    wide.rests = nil
  end
  return wide
end

-- How many jobs of the queue may start now; the starts that its rate counts; when more may, if none may now.
local function room_of_queue()
  local limits, room, starts, opens = whole_queue(), FOR_EVER, nil, nil
  if limits.total then
    room = limits.total - redis.call('ZCARD', queue.started)
    if room <= 0 and limits.ends then opens = limits.ends end
  end
  if limits.rate then
    local free, found, at = room_in(limits.rates, limits.rate, limits.per)
    starts = found
    if free <= 0 then opens = math.max(opens or 0, at or limits.ends or FOR_EVER) end
    room = math.min(room, free)
  end
  if limits.rests then room, opens = 0, math.max(opens or 0, limits.rests) end
  return math.max(0, room), starts, opens
end

-- `starts`: as `room_of_queue` has found them.
local function note_queue_starts(starts, count)
  local limits = whole_queue()
  note_starts(limits.rates, starts, count, limits.rate, limits.per)
end

-- The gate and the key of a lane's text, NAME TAB KEY; nothing when there is no such gate, or no key can be so.
local function lane_in(text)
  local name, key = string.match(text or '', '^([^\t]*)\t([^%c]*)$')
  local gate = name and #key <= 800 and gate_named(name)
  if gate then return gate, key end
end

local function running_of(gate, key)
  return redis.call('ZLEXCOUNT', gate.held, '[' .. key .. TAB, '(' .. key .. '\n')
end

-- The limits of one key: the gate's, unless it has its own. `rests`: until when nothing of it starts.
local function limits_of(gate, key)
  if not gate.has_own_keys then return gate end
  local place = gate.name .. TAB .. key
  local texts = redis.call('HMGET', queue.key_limits, 'k:' .. place, 's:' .. place)
  if not texts[1] and not texts[2] then return gate end
  local limits = { per_key = gate.per_key, key_rate = gate.key_rate, key_per = gate.key_per, ends = gate.ends }
  if texts[1] and not take_override(limits, texts[1], { 'per_key', 'key_rate', 'key_per' }) then
    redis.pcall('HDEL', queue.key_limits, 'k:' .. place)
  end
  limits.rests = tonumber(texts[2] or '')
  if limits.rests and limits.rests <= now then
    redis.pcall('HDEL', queue.key_limits, 's:' .. place)
    limits.rests = nil
  end
  keep_strict(gate, limits)
  return limits
end

-- When a job of the gate may start, in milliseconds; nothing: none waits.
local function opening_of(gate)
  local first = redis.call('ZRANGE', gate.lanes, '0', '0', 'WITHSCORES')
  if not first[1] then return nil end
  local opens = moment_of(first[2])
  if gate.total and redis.call('ZCARD', gate.held) >= gate.total then opens = math.max(opens, gate.ends or FOR_EVER) end
  if gate.rate then
    local free, _, at = room_in(gate.rates, gate.rate, gate.per)
    if free <= 0 then opens = math.max(opens, at or gate.ends or FOR_EVER) end
  end
  return math.max(opens, gate.rests or 0)
end

local touched = {}

-- What happened in a gate may have changed when it opens: that is written when all is done.
local function touch(gate) touched[gate] = true end

-- Names of gates that may be open, those first whose jobs have waited for longest; and of those that were touched, of which
-- nothing is written yet.
local function open_gates(most)
  local names, is_among = redis.call('ZRANGEBYSCORE', queue.gates, '-inf', now_micros, 'LIMIT', '0', most), {}
  if not next(touched) then return names end
  for _, name in ipairs(names) do is_among[name] = true end
  for gate in pairs(touched) do
    if not is_among[gate.name] then names[#names + 1] = gate.name end
  end
  return names
end

local function write_openings()
  for gate in pairs(touched) do
    local opens = opening_of(gate)
    if opens then
      redis.call('ZADD', queue.gates, micros(opens), gate.name)
    else
      redis.call('ZREM', queue.gates, gate.name)
    end
    touched[gate] = nil
  end
end

-- Slots of these keys were freed, or what keeps them was changed: they are looked at.
local function look_again(gate, keys)
  local values = {}
  for _, key in ipairs(keys) do
    values[#values + 1] = now_micros
    values[#values + 1] = key
  end
  for first = 1, #values, 4000 do
    redis.call('ZADD', gate.lanes, 'XX', 'LT', unpack(values, first, math.min(first + 3999, #values)))
  end
  touch(gate)
end
