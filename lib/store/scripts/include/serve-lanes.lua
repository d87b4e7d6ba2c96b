-- Claims jobs of a queue that has gates. RQ's list is one source and each gate another: they take turns, and each gets its
-- share of what the worker wants. In a gate the lanes take turns: who was served longest ago is the next.

-- In one call: keeps it below 5 ms.
local LANES_AT_ONCE, GATES_AT_ONCE, SORTED_AT_ONCE, BATCHED_AT_ONCE, AHEAD_AT_ONCE = 500, 50, 500, 500, 100
-- Of a total that is no smaller, one call takes half: while the jobs of one half run, those of the other travel.
local HALVED_FROM = 16

local lanes = queue.lanes
local tab, for_ever = '\t', math.huge
local now_micros, micros = lanes.now_micros, lanes.micros
-- Of this worker's own gates: how many more of their jobs it takes in this call, how many it could take by itself, and how
-- many at once in a batch.
local rooms, free, sizes = {}, {}, {}
for gate_name, room, left, size in string.gmatch(ARGV.rooms, '([^\n\t]*)\t(%d+)\t(%d+)\t(%d*)\n') do
  rooms[gate_name], free[gate_name], sizes[gate_name] = tonumber(room), tonumber(left), tonumber(size)
end

-- A batch takes one slot of the worker, however many jobs it has.
local function slots_used(claims) return #claims.jobs - claims.batched end

--- @include claim-lanes

-- How many jobs of a gate may start, and the starts that its rate counts.
local function room_of(claims, gate)
  local room, starts = claims.room - #claims.jobs, nil
  if gate.rests then return 0 end
  if gate.total then room = math.min(room, gate.total - redis.call('ZCARD', gate.held)) end
  local half = gate.total and gate.total >= HALVED_FROM and math.ceil(gate.total / 2) - (gate.given or 0)
  if half and room > half then room, claims.has_more_gates = half, true end
  if gate.rate then
    local left
    left, starts = lanes.room_in(gate.rates, gate.rate, gate.per)
    room = math.min(room, left)
  end
  return room, starts
end

-- How many jobs of its gate the worker takes with one slot; nothing: one each.
local function batch_of(gate) return gate.batch and sizes[gate.name] and math.min(gate.batch, sizes[gate.name]) end

-- Answers how many slots of the worker were used.
local function serve_gate(claims, gate, most)
  local room, starts = room_of(claims, gate)
  local slots, batch = math.min(most, rooms[gate.name] or for_ever), batch_of(gate)
  if not batch then room = math.min(room, slots) end
  if room <= 0 or slots <= 0 then return 0 end
  lanes.touch(gate)
  local used, taken, looked, dropped = 0, 0, 0, 0
  local function serve(looks)
    local count, ghosts, served = serve_lanes(claims, gate, looks)
    taken, dropped = taken + count, dropped + ghosts
    used = used + (batch and served or count)
    if batch then claims.batched = claims.batched + count - served end
  end
  while used < slots and taken < room and looked < LANES_AT_ONCE and dropped < SORTED_AT_ONCE
    and claims.state == '' and claims.failure == '' do
    local keys = redis.call('ZRANGEBYSCORE', gate.lanes, '-inf', now_micros, 'LIMIT', '0', math.min(slots - used, room - taken, 200))
    if #keys == 0 then break end
    local share, looks, left = batch or math.max(1, math.floor((room - taken) / #keys)), {}, room - taken
    for _, key in ipairs(keys) do
      if left <= 0 or used >= slots or claims.state ~= '' or claims.failure ~= '' then break end
      local wanted = math.min(share, left)
      -- The next call takes it as a whole.
      if batch and #claims.jobs > 0 and #claims.jobs + wanted > BATCHED_AT_ONCE then
        claims.state = 'more'
        break
      end
      looked = looked + 1
      local look = look_at_lane(gate, key, wanted)
      if batch then
        serve({ look })
        left = room - taken
        if claims.bytes > LARGE_ANSWER then claims.state = 'more' end
      else
        looks[#looks + 1] = look
        left = left - (look.ids and #look.ids or 0)
      end
    end
    if #looks > 0 then serve(looks) end
  end
  gate.given = (gate.given or 0) + taken
  if starts and taken > 0 then lanes.note_starts(gate.rates, starts, taken, gate.rate, gate.per) end
  if rooms[gate.name] then
    rooms[gate.name], free[gate.name] = rooms[gate.name] - used, free[gate.name] - used
  end
  if (looked >= LANES_AT_ONCE or dropped >= SORTED_AT_ONCE) and claims.state == '' then claims.state = 'more' end
  return used
end

-- Takes those of the ids into their lanes that belong there; answers the others. Their gates are looked at in this call.
local function sorted(ids, keeps_turn)
  local others = {}
  for _, id in ipairs(ids) do
    local job = redis.pcall('HMGET', job_prefix .. id, 'nrq_lane', 'status', 'started_at')
    local gate, key
    if not job.err and job[2] == 'queued' then
      if job[1] then gate, key = lanes.lane_in(job[1]) else gate, key = lanes.lane_by_name(id) end
    end
    if gate then
      lanes.put(gate, key, { id }, job[3] and job[3] ~= '', keeps_turn)
    else
      others[#others + 1] = id
    end
  end
  return others
end

-- RQ's list holds jobs without a lane, and whatever others have put there.
local function serve_list(claims, most)
  local used, looked = 0, 0
  while used < most and looked < SORTED_AT_ONCE and claims.failure == '' and claims.state == '' do
    local wanted = most - used
    local ids = redis.call('LRANGE', queue.list, 0, wanted - 1)
    if #ids == 0 then return used end
    local others, before = sorted(ids), #claims.jobs
    local taken = claim(queue, claims, others)
    used = used + #claims.jobs - before
    looked = looked + #ids - (#claims.jobs - before)
    redis.call('LTRIM', queue.list, #ids, -1)
    if taken < #others then
      for index = #others, taken + 1, -1 do redis.call('LPUSH', queue.list, others[index]) end
      return used
    end
    if #ids < wanted then return used end
  end
  if looked >= SORTED_AT_ONCE and claims.state == '' then claims.state = 'more' end
  return used
end

-- Those that a blocking read has moved go where they belong; the others are claimed as ever.
local function take_woken(claims, woken)
  local there = {}
  for _, id in ipairs(woken) do
    if redis.call('LPOS', queue.intermediate, id) then there[#there + 1] = id end
  end
  local others, is_other = sorted(there), {}
  for _, id in ipairs(others) do is_other[id] = true end
  for _, id in ipairs(there) do
    if not is_other[id] then redis.call('LREM', queue.intermediate, 1, id) end
  end
  if #others == 0 then return end
  --- @include claim-woken
  --- @include note-level
  -- For which there is no room goes back to its level; of what Python has put there, the bell alone says which that is.
  local before, level, bell = #claims.jobs, string.match(redis.call('HGET', queue.flags, 'bell') or '', '^(%l+) (.*)$')
  for _, id in ipairs(others) do
    note_level(queue, id, id == bell and level or redis.pcall('HGET', job_prefix .. id, 'nrq_level'))
  end
  claim_woken(queue, claims, others)
  for index = before + 1, #claims.jobs do
    if claims.jobs[index][CLAIM_FIELD_COUNT + 1] == bell then keep_level(queue, claims.jobs[index], level) end
  end
end

-- Nothing limits its jobs: they only take turns.
local function holds_nothing(gate)
  return not (gate.total or gate.rate or gate.per_key or gate.key_rate or gate.rests or gate.has_own_keys or gate.batch
    or rooms[gate.name])
end

-- The list and the gates that may be open, as functions of what to claim at most.
-- is_ahead: for slots of the worker that are not free yet. Slots of a limit would stand empty meanwhile, and starts would
-- come later than they were counted: of a gate with limits nothing is claimed so, and while one is open nothing at all.
local function sources_of(claims, is_ahead)
  local sources = {}
  if redis.call('EXISTS', queue.list) == 1 then
    sources[1] = function(most) return serve_list(claims, math.min(most, claims.room - #claims.jobs)) end
  end
  local names = lanes.open_gates(GATES_AT_ONCE)
  for _, gate_name in ipairs(names) do
    local gate = lanes.gate_named(gate_name)
    if not gate then
      redis.call('ZREM', queue.gates, gate_name)
    elseif rooms[gate_name] ~= 0 then
      if is_ahead and not holds_nothing(gate) then return {} end
      local cap = is_ahead and AHEAD_AT_ONCE or for_ever
      sources[#sources + 1] = function(most) return serve_gate(claims, gate, math.min(most, cap - #claims.jobs)) end
    end
  end
  if #names >= GATES_AT_ONCE then claims.has_more_gates = true end
  return sources
end

-- Each source gets its share; a second round hands on what was left over.
local function serve_in_turn(claims, most, is_ahead)
  local sources, left = sources_of(claims, is_ahead), most
  local first = claims.number % #sources
  for round = 1, 2 do
    for index = 1, #sources do
      if left <= 0 or claims.failure ~= '' or claims.state ~= '' then return end
      local share = round == 1 and math.ceil(left / (#sources - index + 1)) or left
      left = left - sources[(first + index - 1) % #sources + 1](share)
    end
  end
  if left <= 0 or claims.has_more_gates then claims.state = 'more' end
end

-- Jobs for which the worker has no slot yet: they run before all that comes later, so nothing is passed over for them. While
-- a gate with limits is open none but high ones are among them: the next slot that is free is for their turns.
local function claim_ahead(claims, asked, has_levels)
  claims.state, claims.want = '', asked + claims.batched
  if has_levels then claim_from_level(queue, claims, 'high') end
  if claims.failure == '' and claims.state == '' and slots_used(claims) < asked then
    lanes.close_gates()
    serve_in_turn(claims, asked - slots_used(claims), true)
  end
  if slots_used(claims) < asked then claims.state = 'more' end
end

-- Claims what may start. Answers whether the worker came up short: it may fall asleep now.
local function serve_all(claims, woken)
  local wide = lanes.whole_queue(true)
  local room, starts, opens = lanes.room_of_queue()
  local asked = claims.want
  local slots = math.max(0, asked - tonumber(ARGV.ahead))
  claims.want, claims.room, claims.batched = math.min(asked, room), room, 0
  if #woken > 0 then
    take_woken(claims, woken)
    -- Of those that went back, one may stand in RQ's list for its level now.
    wide = lanes.whole_queue(true)
  end
  local most = math.min(slots, room)
  if wide.bell then silence_bell(queue, wide.bell) end
  -- Python's levels show in no flag.
  local has_levels = redis.call('EXISTS', queue.high, queue.low) > 0
  if claims.failure == '' and claims.state == '' and #claims.jobs < most then
    claims.want = most
    if has_levels then claim_from_level(queue, claims, 'high') end
    if #claims.jobs < most then serve_in_turn(claims, most - #claims.jobs) end
    claims.want = math.min(most + claims.batched, room)
    if has_levels and #claims.jobs < claims.want and claims.state == '' then claim_from_level(queue, claims, 'low') end
  end
  local count = slots_used(claims)
  if claims.failure == '' and claims.bytes <= LARGE_ANSWER and room == for_ever and count >= slots and count < asked then
    claim_ahead(claims, asked, has_levels)
  end
  if has_levels and redis.call('EXISTS', queue.high, queue.low) > 0 then
    if room - #claims.jobs > 0 then
      ring(queue)
    end
  elseif wide.levels then
    redis.call('HDEL', queue.flags, 'levels')
  end
  if starts and #claims.jobs > 0 then lanes.note_queue_starts(starts, #claims.jobs) end
  if room - #claims.jobs <= 0 and asked > 0 and claims.failure == '' then
    claims.state = 'limited'
    if not opens and starts then _, _, opens = lanes.room_of_queue() end
  end
  return slots_used(claims) < slots and claims.state ~= 'more', opens
end

-- A worker that came up short is noted, to be woken; one that did not, is not.
local function note_sleeper(is_short, worker)
  if not is_short then
    redis.call('HDEL', queue.asleep, worker)
    return
  end
  local names = tab
  for gate_name, left in pairs(free) do
    if left <= 0 then names = names .. gate_name .. tab end
  end
  redis.call('HSET', queue.asleep, worker, names)
end

-- Of the times that lanes wait for, the earliest, in milliseconds from now. One worker is told, not all of them: when it
-- comes it wakes others, if there is work for more.
local function next_opening(opens, worker)
  local first = redis.call('ZRANGEBYSCORE', queue.gates, '(' .. now_micros, '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
  local at = first[2] and tonumber(first[2]) / 1000
  if opens and opens < for_ever then at = math.max(opens, now) end
  if not at then return nil end
  local told, whom = string.match(redis.call('GET', queue.timer) or '', '^(%d+) (.*)$')
  told = tonumber(told)
  -- Who comes a little early is told once more.
  if told and told <= at + 1 and told >= now and whom ~= worker then return nil end
  redis.call('SET', queue.timer, string.format('%.0f ', at) .. worker, 'PX', string.format('%.0f', math.ceil(at - now) + 50))
  return at - now
end
