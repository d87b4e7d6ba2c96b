-- What few calls do to lanes: jobs come back to them, are looked for there, or go without being claimed.

-- Puts those of the jobs that have a lane there. Answers the others, which belong into RQ's list.
-- how.front: to its head, as all of priority `high` go; how.by_run: to its head if the job ran before; how.keeps_turn: see
-- `put`
local function take_in(ids, how)
  local others, heads = {}, {}
  for _, id in ipairs(ids) do
    local job = redis.pcall('HMGET', job_prefix .. id, 'nrq_lane', 'started_at', 'nrq_round', 'nrq_level')
    local gate, key
    if not job.err and job[1] then gate, key = lane_in(job[1]) end
    -- The next round of a job that repeats is as a new job.
    local ran = how.by_run and job[2] and job[2] ~= '' and not job[3]
    if not gate then
      others[#others + 1] = id
    elseif how.front or ran or job[4] == 'high' then
      heads[#heads + 1] = { gate, key, id }
    else
      put(gate, key, { id }, false, how.keeps_turn)
    end
  end
  for index = #heads, 1, -1 do put(heads[index][1], heads[index][2], { heads[index][3] }, true, how.keeps_turn) end
  -- Who does more in its call closes when all is done.
  if not queue.closes_later then close() end
  return others
end

-- Takes jobs out of their lanes, wherever they stand there.
local function take_out_of_lanes(ids)
  for _, id in ipairs(ids) do
    local gate, key = lane_of(id)
    if gate then
      local lane = gate.lane .. key
      local count = redis.call('LREM', lane, 0, id)
      joined = joined - count
      if count > 0 and redis.call('EXISTS', lane) == 0 then forget_lanes(gate, { key }) end
      if count > 0 then touch(gate) end
    end
  end
  close()
end

-- Jobs are gone or canceled: where order is strict, others of their keys need not wait for them.
local function let_keys_go(ids)
  for _, id in ipairs(ids) do
    local gate, key = lane_of(id)
    if gate and gate.is_strict and redis.call('HGET', gate.strict, key) == id then
      redis.call('HDEL', gate.strict, key)
      look_again(gate, { key })
    end
  end
  close()
end

-- How long the lane of a job is; nothing: it has none.
local function length_of_lane(id)
  local gate, key = lane_of(id)
  return gate and redis.call('LLEN', gate.lane .. key)
end

-- Where a job stands in its lane, 0-based; nothing: in none.
local function place_in_lane(id)
  local gate, key = lane_in(redis.call('HGET', job_prefix .. id, 'nrq_lane') or '')
  return gate and redis.call('LPOS', gate.lane .. key, id) or nil
end

-- Calls `visit` with gate, key and length of each lane, by turn, until it answers true. A handler may have a million lanes,
-- of which most callers want the first few: they are read a slice at a time.
local function each_lane(visit)
  for _, name in ipairs(redis.call('ZRANGE', queue.gates, 0, -1)) do
    local gate, first = gate_named(name), 0
    while gate do
      local keys = redis.call('ZRANGE', gate.lanes, first, first + 499)
      for _, key in ipairs(keys) do
        if visit(gate, key, redis.call('LLEN', gate.lane .. key)) then return end
      end
      if #keys < 500 then break end
      first = first + 500
    end
  end
end

-- Takes ids off the heads of lanes, whoever they are.
local function cut_lanes(most)
  local ids, cuts = {}, {}
  each_lane(function(gate, key, length)
    local count = math.min(length, most - #ids)
    for _, id in ipairs(redis.call('LRANGE', gate.lane .. key, 0, count - 1)) do ids[#ids + 1] = id end
    cuts[#cuts + 1] = { gate, key, count, count == length }
    return #ids >= most
  end)
  for _, cut in ipairs(cuts) do
    local gate, key, count, is_empty = unpack(cut)
    redis.call('LTRIM', gate.lane .. key, count, -1)
    if is_empty then forget_lanes(gate, { key }) end
    touch(gate)
  end
  joined = joined - #ids
  close()
  return ids
end

-- The slot of an execution is free.
local function drop_holder(id, member)
  local gate, key = lane_of(id)
  -- Of a job that is gone, the sweep drops it.
  if not gate then return end
  redis.call('ZREM', gate.held, key .. TAB .. member)
  look_again(gate, { key })
end

-- A handler, or one key of it, or the queue, starts nothing until a moment; the later of two counts. A handler without a
-- gate gets one.
local function rest(scope, name, id, moment)
  local text = string.format('%.0f', math.ceil(moment))
  local function note(hash, field)
    local known = tonumber(redis.call('HGET', hash, field) or '')
    if not known or known < moment then redis.call('HSET', hash, field, text) end
  end
  if scope == 'queue' then
    note(queue.flags, 's')
    wide = nil
    return
  end
  local gate, key, found = lane_of_new(redis.call('HGET', job_prefix .. id, 'nrq_lane') or name .. TAB)
  if not gate then return end
  redis.call('HSET', job_prefix .. id, 'nrq_lane', gate.name .. TAB .. key)
  if scope == 'handler' then
    note(queue.flags, 's:' .. gate.name)
  else
    note(queue.key_limits, 's:' .. gate.name .. TAB .. key)
  end
  -- It is read anew.
  gates[gate.name] = nil
  touch(gate_named(gate.name))
end

-- So many jobs are in lanes, by a count of all of them.
local function counted(count)
  joined = 0
  if count > 0 then
    redis.call('HSET', queue.flags, 'n', string.format('%d', count))
  else
    redis.call('HDEL', queue.flags, 'n')
  end
end

-- Ids in lanes, by turn: of all of them as one list, a part.
local function ids_in_lanes(offset, most)
  local ids = {}
  each_lane(function(gate, key, length)
    if offset < length then
      for _, id in ipairs(redis.call('LRANGE', gate.lane .. key, offset, offset + most - #ids - 1)) do ids[#ids + 1] = id end
      offset = 0
    else
      offset = offset - length
    end
    return #ids >= most
  end)
  return ids
end
