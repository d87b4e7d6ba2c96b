-- The slots of jobs whose runs are over are free. Their lanes are looked at: they may have been full. Where order is
-- strict, a job that is put off keeps its key.

local PUTS_OFF = { retrying = true, snoozed = true }

-- executions, refused: as settle-all.lua answers; of_lanes: index, text of the lane, ...
local function free_slots(queue, executions, refused, of_lanes)
  local lanes, keeps, is_refused = queue.lanes, {}, {}
  for at = 1, #refused, 2 do
    is_refused[refused[at]] = true
    -- It still has its lease.
    if string.sub(refused[at + 1], 1, 6) == 'error ' then keeps[refused[at]] = true end
  end
  local freed = {}
  for at = 1, #of_lanes, 2 do
    local index = tonumber(of_lanes[at])
    local gate, key = lanes.lane_in(of_lanes[at + 1])
    if gate and not keeps[index] then
      local of = freed[gate] or { members = {}, keys = {} }
      freed[gate] = of
      of.members[#of.members + 1] = key .. '\t' .. executions.members[index]
      of.keys[#of.keys + 1] = key
      if gate.is_strict then
        local id = executions.ids[index]
        local is_put_off = PUTS_OFF[executions.kinds[index]] and not is_refused[index]
          and redis.pcall('HGET', job_prefix .. id, 'status') == 'scheduled'
        lanes.hold_key(gate, key, id, is_put_off)
      end
    end
  end
  for gate, of in pairs(freed) do
    batched('ZREM', gate.held, of.members)
    if gate.per_key or gate.has_own_keys then lanes.look_again(gate, of.keys) else lanes.touch(gate) end
  end
end
