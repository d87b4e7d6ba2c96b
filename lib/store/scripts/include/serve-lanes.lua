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
-- Looks at a lane: `ids`, the jobs at its head that may start; or `opens`, when it is to be looked at again.
local function look_at_lane(gate, key, most)
  local limits = lanes.limits_of(gate, key)
  local look, opens = { key = key, limits = limits }, nil
  if limits.per_key then
    look.running = lanes.running_of(gate, key)
    most = math.min(most, limits.per_key - look.running)
  end
  if limits.key_rate then
    local left
    left, look.starts, opens = lanes.room_in(gate.rates .. tab .. key, limits.key_rate, limits.key_per)
    most = math.min(most, left)
  end
  if limits.rests then
    look.opens = limits.rests
  elseif gate.batch and lanes.gathers_until(gate, key) then
    look.opens = lanes.gathers_until(gate, key)
  elseif gate.is_strict and lanes.waits_for_retry(gate, key) then
    look.opens = for_ever
  elseif most <= 0 then
    local is_full = look.running and look.running >= limits.per_key
    look.opens = not is_full and opens or limits.ends or for_ever
  else
    -- One more tells whether there are more.
    local ids = redis.call('LRANGE', gate.lane .. key, '0', most == 1 and '1' or most)
    look.has_more = #ids > most
    if look.has_more then ids[#ids] = nil end
    look.ids = ids
  end
  return look
end

-- The ids that were found in lanes, in turn: the first of each, the second of each, ... And of which lane each is.
local function in_turn(looks)
  local ids, owners, round, is_over = {}, {}, 0, false
  while not is_over do
    round, is_over = round + 1, true
    for _, look in ipairs(looks) do
      local id = look.ids[round]
      if id then
        is_over = false
        ids[#ids + 1], owners[#owners + 1] = id, look
      end
    end
  end
  return ids, owners
end

-- Takes what was found in lanes off their heads. Each look then says how many of its ids were `taken`, and how many of
-- those are claimed (`count`); and, when a lane has to wait with what is at its head (a suspect), until when (`rests`).
local function claim_found(claims, gate, looks)
  local ids, owners = in_turn(looks)
  local in_batch = sizes[gate.name] and gate.batch and tab .. string.format('%d', claims.number) or ''
  for _, look in ipairs(looks) do
    look.taken, look.count, look.text, look.place = 0, 0, gate.name .. tab .. look.key .. in_batch, look.key .. tab
  end
  local before = #claims.jobs
  claims.waits_in_lane, claims.in_batch = true, in_batch ~= ''
  local taken, leases = claim(queue, claims, ids)
  claims.waits_in_lane, claims.in_batch = nil, nil
  if claims.failure == 'suspect' then
    -- It keeps its place, and nobody of its lane passes it.
    claims.failure, owners[taken + 1].rests = '', now + tonumber(ARGV.suspect_delay)
  end
  local holders, claimed = {}, 0
  for index = 1, taken do
    local look, values = owners[index], claims.jobs[before + claimed + 1]
    look.taken = look.taken + 1
    if values and values[CLAIM_FIELD_COUNT + 1] == ids[index] then
      claimed, look.count = claimed + 1, look.count + 1
      -- In the place of the status, which is known.
      values[CLAIM.status] = look.text
      holders[2 * claimed - 1], holders[2 * claimed] = '0', look.place .. leases[2 * claimed]
    end
  end
  batched('ZADD', gate.held, holders)
  for _, look in ipairs(looks) do
    if look.taken > 0 then redis.call('LTRIM', gate.lane .. look.key, look.taken, '-1') end
  end
  lanes.left(taken)
end

-- When a lane of which jobs were taken is to be looked at again; nothing: it is empty.
local function opens_after(gate, look)
  local limits, count, running, starts = look.limits, look.count, look.running, look.starts
  local rates = starts and gate.rates .. tab .. look.key
  if starts and count > 0 then lanes.note_starts(rates, starts, count, limits.key_rate, limits.key_per) end
  if look.rests then return look.rests end
  if not look.has_more and look.taken == #look.ids then return nil end
  if running and running + count >= limits.per_key then return limits.ends or for_ever end
  if starts then
    local left, _, at = lanes.room_in(rates, limits.key_rate, limits.key_per)
    if left <= 0 then return at or for_ever end
  end
  return gate.batch and lanes.gather_anew(gate, look.key) or now
end

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

-- Claims what was found in these lanes, and notes when each is to be looked at again. Answers how many jobs were claimed,
-- how many ids were dropped, and in how many lanes there was something.
local function serve_lanes(claims, gate, looks)
  local scores, empty, found, taken, dropped, served = {}, {}, {}, 0, 0, 0
  for _, look in ipairs(looks) do
    if look.ids then found[#found + 1] = look end
  end
  if #found > 0 then claim_found(claims, gate, found) end
  for _, look in ipairs(looks) do
    local opens, is_reached = look.opens, true
    if look.ids then
      -- What was found in a lane and not reached is there as it was.
      is_reached = look.taken > 0 or #look.ids == 0 or look.rests
      opens = is_reached and opens_after(gate, look)
      taken, dropped = taken + look.count, dropped + look.taken - look.count
      if look.count > 0 then served = served + 1 end
    end
    if opens then
      scores[#scores + 1] = micros(opens)
      scores[#scores + 1] = look.key
    elseif is_reached then
      empty[#empty + 1] = look.key
    end
  end
  batched('ZADD', gate.lanes, scores)
  lanes.forget(gate, empty)
  return taken, dropped, served
end

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
