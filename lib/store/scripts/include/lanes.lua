-- Jobs go into lanes, and come out of them. What is in lanes is nowhere else, and its status is `queued`.

--- @include gates
--- @include batches
--- @include wake-sleeper

-- The gate and the key of a job's lane; nothing when it has none, or is no job.
local function lane_of(id)
  local text = redis.pcall('HGET', job_prefix .. id, 'nrq_lane')
  if type(text) == 'string' then return lane_in(text) end
end

--- @include strict-order

-- How many jobs are in lanes more than before.
local joined = 0

-- front: to its head. keeps_turn: it was taken out of there and comes back, so the lane's turn is not over.
local function put(gate, key, ids, front, keeps_turn)
  local lane = gate.lane .. key
  if front then
    local reversed = {}
    for index = #ids, 1, -1 do reversed[#reversed + 1] = ids[index] end
    batched('LPUSH', lane, reversed)
  else
    batched('RPUSH', lane, ids)
  end
  if gathers(gate) then
    gather(gate, key, #ids, keeps_turn)
  elseif keeps_turn then
    redis.call('ZADD', gate.lanes, 'LT', '0', key)
  else
    redis.call('ZADD', gate.lanes, 'NX', now_micros, key)
  end
  has_come(gate, key, ids)
  joined = joined + #ids
  touch(gate)
end

-- To the tail of a lane. Answers whether the caller has to see to it that the lane takes its turn.
local function append(gate, key, ids)
  if gathers(gate) or gate.is_strict then
    put(gate, key, ids, false)
    return false
  end
  if #ids == 1 then redis.call('RPUSH', gate.lane .. key, ids[1]) else batched('RPUSH', gate.lane .. key, ids) end
  joined = joined + #ids
  touch(gate)
  return true
end

-- The end of whatever was done to lanes: says when gates open, how many jobs are in lanes, and wakes somebody. The jobs
-- are in their places by then: what Redis refuses here fails no call, since the sweep puts it right.
local function close()
  pcall(write_openings)
  if joined ~= 0 then
    redis.pcall('HINCRBY', queue.flags, 'n', string.format('%d', joined))
    joined = 0
  end
  pcall(wake_sleeper)
end

-- The lane of a job by its name alone, where its handler has a gate and no keys; from now on the job says so itself.
-- Only our own jobs say their name so plainly.
local function lane_by_name(id)
  local name = string.match(redis.call('HGET', job_prefix .. id, 'data') or '', '^%["([^"\\]*)"')
  local gate = name and gate_named(name)
  if not gate or gate.is_keyed then return nil end
  redis.call('HSET', job_prefix .. id, 'nrq_lane', name .. TAB)
  return gate, ''
end

-- The text of the lane of a new job; nothing: it has none. text: what it brings itself; data: its text
local function text_of_new(text, data)
  if text then return text end
  local name = string.match(data, '^%["([^"\\]*)"')
  local gate = name and gate_named(name)
  return gate and not gate.is_keyed and name .. TAB or nil
end

-- The lane of a new job: of the key that it brings, which makes a gate where there is none, or by its name. And, when it
-- does not say so itself, the text that says so.
-- text: NAME TAB KEY, nil = it brings no key; data: its text
local function lane_of_new(text, data)
  if text then
    local gate, key = lane_in(text)
    if gate then return gate, key end
    local name = string.match(text, '^([^\t]*)\t')
    if not gate_named(name) then
      if redis.call('EXISTS', queue.flags) == 0 then wake_all() end
      redis.call('HSET', queue.flags, 'g:' .. name, '- - - - - - 0 t')
      gates[name] = nil
    end
    return lane_in(text)
  end
  local found = text_of_new(nil, data)
  if found then return gate_named(string.sub(found, 1, -2)), '', found end
end

-- So many left the heads of lanes.
local function left(count) joined = joined - count end

-- What few calls need is made when it is asked for: making a function costs as much as a small command.
local further
local function further_of_lanes()
  if not further then
    --- @include lanes-further
    further = {
      take_in = take_in, take_out = take_out_of_lanes, place_of = place_in_lane, length_of = length_of_lane,
      each = each_lane, ids = ids_in_lanes, cut = cut_lanes, drop_holder = drop_holder, rest = rest,
      counted = counted, let_keys_go = let_keys_go,
    }
  end
  return further
end
