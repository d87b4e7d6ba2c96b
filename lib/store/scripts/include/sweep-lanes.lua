-- What nobody has told of slots and lanes: holders whose lease is gone, whoever took it; lanes that stay closed although
-- they need not; gates that nobody needs any more. A part of the sweep's turn.

local HOLDERS_OF_TURN, LANES_OF_TURN, LANES_COUNTED, AWAITED_OF_TURN = 1000, 1000, 2000, 100

-- Who holds a slot has a lease in the started registry; else nobody runs there any more.
local function drop_holders(gate)
  local cursor = redis.call('HGET', queue.sweeps, 'held:' .. gate.name)
  local page = redis.call('ZSCAN', gate.held, string.match(cursor or '', '^%d+$') or '0', 'COUNT', HOLDERS_OF_TURN)
  redis.call('HSET', queue.sweeps, 'held:' .. gate.name, page[1])
  local members, executions = {}, {}
  for at = 1, #page[2], 2 do
    members[#members + 1] = page[2][at]
    executions[#executions + 1] = string.match(page[2][at], '\t([^\t]*)$') or ''
  end
  if #members == 0 then return end
  local leases, gone, keys = redis.call('ZMSCORE', queue.started, unpack(executions)), {}, {}
  for index, member in ipairs(members) do
    if not leases[index] then
      gone[#gone + 1] = member
      keys[#keys + 1] = string.match(member, '^(.*)\t[^\t]*$')
    end
  end
  batched('ZREM', gate.held, gone)
  if #keys > 0 then queue.lanes.look_again(gate, keys) end
end

-- Lanes that wait for a slot although there is one; and those that wait longer than any limit says: the clock was set back.
local function open_lanes(gate)
  local keys = {}
  for _, key in ipairs(redis.call('ZRANGEBYSCORE', gate.lanes, '+inf', '+inf', 'LIMIT', 0, LANES_OF_TURN)) do
    local limits = queue.lanes.limits_of(gate, key)
    local may_open = not limits.per_key or queue.lanes.running_of(gate, key) < limits.per_key
    if may_open and not queue.lanes.waits_for_retry(gate, key) then keys[#keys + 1] = key end
  end
  local longest = now + math.max(gate.per or 0, gate.key_per or 0, gate.wait or 0) + 1000
  if not gate.has_own_keys then
    local from = '(' .. queue.lanes.micros(longest)
    for _, key in ipairs(redis.call('ZRANGEBYSCORE', gate.lanes, from, '(+inf', 'LIMIT', 0, LANES_OF_TURN)) do
      keys[#keys + 1] = key
    end
  end
  if #keys > 0 then queue.lanes.look_again(gate, keys) end
end

-- Where order is strict, a job for which the others of its key wait may have ended, or be lost: Python takes one out of
-- its queue, and leaves its status.
local function drop_awaited(gate)
  local cursor = redis.call('HGET', queue.sweeps, 'strict:' .. gate.name)
  local page = redis.call('HSCAN', gate.strict, string.match(cursor or '', '^%d+$') or '0', 'COUNT', AWAITED_OF_TURN)
  redis.call('HSET', queue.sweeps, 'strict:' .. gate.name, page[1])
  local keys = {}
  for at = 1, #page[2], 2 do
    local key, id = page[2][at], page[2][at + 1]
    local status = redis.pcall('HGET', job_prefix .. id, 'status')
    local stands = status == 'scheduled' or status == 'started'
    if status == 'queued' then
      for _, list in ipairs({ gate.lane .. key, queue.list, queue.intermediate, queue.high, queue.low }) do
        stands = stands or redis.call('LPOS', list, id)
      end
    end
    if not stands then
      redis.call('HDEL', gate.strict, key)
      keys[#keys + 1] = key
    end
  end
  if #keys > 0 then queue.lanes.look_again(gate, keys) end
end

-- What the gate had before it was declared anew.
local function drop_unused(gate)
  if gate.is_strict then drop_awaited(gate) else redis.call('DEL', gate.strict) end
  if not queue.lanes.gathers(gate) then redis.call('DEL', gate.gathers) end
end

-- A gate that nobody has declared goes when it is empty.
local function drop_gate(gate)
  if gate.is_declared or gate.rests or redis.call('EXISTS', gate.lanes, gate.held, queue.key_limits) > 0 then return end
  if redis.call('HEXISTS', queue.flags, 'o:' .. gate.name) == 1 then return end
  redis.call('HDEL', queue.flags, 'g:' .. gate.name)
  redis.call('HDEL', queue.sweeps, 'held:' .. gate.name, 'strict:' .. gate.name)
end

-- The number of jobs in lanes, where it can be counted at once; and the flags go with the last of them.
local function count_lanes()
  -- Those whose first jobs came in this call are to be seen.
  queue.lanes.close_gates()
  local lanes, jobs = 0, 0
  queue.lanes.each(function(_, _, length)
    lanes, jobs = lanes + 1, jobs + length
    return lanes >= LANES_COUNTED
  end)
  if lanes >= LANES_COUNTED then return end
  queue.lanes.counted(jobs)
end

local function sweep_lanes()
  for _, field in ipairs(redis.call('HKEYS', queue.flags)) do
    local name = string.match(field, '^g:(.*)$')
    local gate = name and queue.lanes.gate_named(name)
    if gate then
      drop_holders(gate)
      drop_unused(gate)
      open_lanes(gate)
      queue.lanes.touch(gate)
      drop_gate(gate)
    end
  end
  count_lanes()
end
