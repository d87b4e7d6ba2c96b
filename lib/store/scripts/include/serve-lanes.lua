-- Claims jobs of a queue that has gates. RQ's list is one source and each gate another: they take turns, and each gets its
-- share of what the worker wants. In a gate the lanes take turns: who was served longest ago is the next.

-- In one call: keeps it below 5 ms.
local LANES_AT_ONCE, GATES_AT_ONCE, SORTED_AT_ONCE, BATCHED_AT_ONCE = 1000, 50, 500, 500

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
-- Takes jobs off the head of a lane. Answers how many were claimed, and whether there are more; and, when it has to wait
-- with what is at its head (a suspect), until when.
local function claim_from_lane(claims, gate, key, most)
  local lane = gate.lane .. key
  local in_batch = sizes[gate.name] and gate.batch and tab .. string.format('%d', claims.number) or ''
  local ids = redis.call('LRANGE', lane, 0, most)
  local has_more = #ids > most
  if has_more then ids[#ids] = nil end
  local before, number = #claims.jobs, claims.number
  claims.waits_in_lane, claims.in_batch = true, in_batch ~= ''
  local taken = claim(queue, claims, ids)
  claims.waits_in_lane, claims.in_batch = nil, nil
  local count, rests = #claims.jobs - before, nil
  if claims.failure == 'suspect' then
    -- It keeps its place, and nobody of its lane passes it.
    claims.failure, rests = '', now + tonumber(ARGV.suspect_delay)
  end
  local holders = {}
  for index = 1, count do
    local values = claims.jobs[before + index]
    values[CLAIM.status] = gate.name .. tab .. key .. in_batch
    holders[2 * index - 1] = '0'
    holders[2 * index] = key .. tab .. values[CLAIM_FIELD_COUNT + 1] .. ':' .. claims.token
      .. string.format('%016x', number + index - 1)
  end
  batched('ZADD', gate.held, holders)
  if taken > 0 then redis.call('LTRIM', lane, taken, -1) end
  lanes.left(taken)
  return count, has_more or taken < #ids, rests, taken - count
end

-- Serves a lane once. Answers how many were claimed, how many ids were dropped, and when the lane is to be looked at
-- again; nothing: it is empty.
local function serve_lane(claims, gate, key, most)
  local limits = lanes.limits_of(gate, key)
  local running, starts, opens
  if limits.per_key then
    running = lanes.running_of(gate, key)
    most = math.min(most, limits.per_key - running)
  end
  if limits.key_rate then
    local left
    left, starts, opens = lanes.room_in(gate.rates .. tab .. key, limits.key_rate, limits.key_per)
    most = math.min(most, left)
  end
  if limits.rests then return 0, 0, limits.rests end
  local gathers_until = lanes.gathers_until(gate, key)
  if gathers_until then return 0, 0, gathers_until end
  if lanes.waits_for_retry(gate, key) then return 0, 0, for_ever end
  if most <= 0 then
    if running and running >= limits.per_key then return 0, 0, limits.ends or for_ever end
    return 0, 0, opens or limits.ends or for_ever
  end
  local count, has_more, rests, dropped = claim_from_lane(claims, gate, key, most)
  if starts and count > 0 then
    lanes.note_starts(gate.rates .. tab .. key, starts, count, limits.key_rate, limits.key_per)
  end
  if rests then return count, dropped, rests end
  if not has_more then return count, dropped, nil end
  if running and running + count >= limits.per_key then return count, dropped, limits.ends or for_ever end
  if starts then
    local left, _, at = lanes.room_in(gate.rates .. tab .. key, limits.key_rate, limits.key_per)
    if left <= 0 then return count, dropped, at or for_ever end
  end
  return count, dropped, lanes.gather_anew(gate, key)
end

-- How many jobs of a gate may start, and the starts that its rate counts.
local function room_of(claims, gate)
  local room, starts = claims.room - #claims.jobs, nil
  if gate.rests then return 0 end
  if gate.total then room = math.min(room, gate.total - redis.call('ZCARD', gate.held)) end
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
  while used < slots and taken < room and looked < LANES_AT_ONCE and dropped < SORTED_AT_ONCE
    and claims.state == '' and claims.failure == '' do
    local keys = redis.call('ZRANGEBYSCORE', gate.lanes, '-inf', now_micros, 'LIMIT', 0, math.min(slots - used, room - taken, 200))
    if #keys == 0 then break end
    local share = batch or math.max(1, math.floor((room - taken) / #keys))
    local scores, empty = {}, {}
    for _, key in ipairs(keys) do
      if used >= slots or taken >= room or claims.state ~= '' or claims.failure ~= '' then break end
      local wanted = math.min(share, room - taken)
      -- The next call takes it as a whole.
      if batch and #claims.jobs > 0 and #claims.jobs + wanted > BATCHED_AT_ONCE then
        claims.state = 'more'
        break
      end
      looked = looked + 1
      local count, ghosts, opens = serve_lane(claims, gate, key, wanted)
      taken, dropped = taken + count, dropped + ghosts
      used = used + (batch and math.min(count, 1) or count)
      if batch and count > 1 then claims.batched = claims.batched + count - 1 end
      if batch and claims.bytes > LARGE_ANSWER then claims.state = 'more' end
      if opens then
        scores[#scores + 1] = micros(opens)
        scores[#scores + 1] = key
      else
        empty[#empty + 1] = key
      end
    end
    batched('ZADD', gate.lanes, scores)
    lanes.forget(gate, empty)
  end
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

-- Names of gates that may be open.
local function open_gates()
  return redis.call('ZRANGEBYSCORE', queue.gates, '-inf', now_micros, 'LIMIT', 0, GATES_AT_ONCE)
end

-- The list and the gates that may be open, as functions of what to claim at most.
local function sources_of(claims)
  local sources = { function(most) return serve_list(claims, math.min(most, claims.room - #claims.jobs)) end }
  local names = open_gates()
  for _, gate_name in ipairs(names) do
    local gate = lanes.gate_named(gate_name)
    if not gate then
      redis.call('ZREM', queue.gates, gate_name)
    elseif rooms[gate_name] ~= 0 then
      sources[#sources + 1] = function(most) return serve_gate(claims, gate, most) end
    end
  end
  if #names == GATES_AT_ONCE then claims.has_more_gates = true end
  return sources
end

-- Each source gets its share; a second round hands on what was left over.
local function serve_in_turn(claims, most)
  local sources, left = sources_of(claims), most
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

-- Whether a gate is open of which this worker takes jobs.
local function is_gate_open()
  lanes.close_gates()
  for _, gate_name in ipairs(open_gates()) do
    if rooms[gate_name] ~= 0 then return true end
  end
  return false
end

-- Jobs for which the worker has no slot yet: they run before all that comes later, so nothing is passed over for them. While
-- a gate is open nothing of the list is among them: the next slot that is free is for their turns.
local function claim_ahead(claims, asked)
  claims.state, claims.want = '', asked + claims.batched
  claim_from_level(queue, claims, 'high')
  if claims.failure == '' and claims.state == '' and slots_used(claims) < asked and not is_gate_open() then
    serve_list(claims, asked - slots_used(claims))
  end
  if slots_used(claims) < asked then claims.state = 'more' end
end

-- Claims what may start. Answers whether the worker came up short: it may fall asleep now.
local function serve_all(claims, woken)
  local room, starts, opens = lanes.room_of_queue()
  -- What holds slots or spends starts is not claimed ahead of a slot of the worker.
  local asked = claims.want
  local slots = math.max(0, asked - tonumber(ARGV.ahead))
  claims.want, claims.room, claims.batched = math.min(asked, room), room, 0
  if #woken > 0 then take_woken(claims, woken) end
  local most = math.min(slots, room)
  silence_bell(queue)
  if claims.failure == '' and claims.state == '' and #claims.jobs < most then
    claims.want = most
    claim_from_level(queue, claims, 'high')
    -- What was put into lanes in this call counts, too.
    lanes.close_gates()
    if #claims.jobs < most then serve_in_turn(claims, most - #claims.jobs) end
    claims.want = math.min(most + claims.batched, room)
    if #claims.jobs < claims.want and claims.state == '' then claim_from_level(queue, claims, 'low') end
  end
  local count = slots_used(claims)
  if claims.failure == '' and claims.bytes <= LARGE_ANSWER and room == for_ever and count >= slots and count < asked then
    claim_ahead(claims, asked)
  end
  if redis.call('EXISTS', queue.high, queue.low) == 0 then
    redis.call('HDEL', queue.flags, 'levels')
  elseif room - #claims.jobs > 0 then
    ring(queue)
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
