-- The slots of jobs whose runs are over are free. Their lanes are looked at: they may have been full.

-- executions, refused: as settle-all.lua answers; of_lanes: index, text of the lane, ...
local function free_slots(queue, executions, refused, of_lanes)
  local lanes, keeps = queue.lanes, {}
  for at = 1, #refused, 2 do
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
    end
  end
  for gate, of in pairs(freed) do
    batched('ZREM', gate.held, of.members)
    if gate.per_key or gate.has_own_keys then lanes.look_again(gate, of.keys) else lanes.touch(gate) end
  end
end
