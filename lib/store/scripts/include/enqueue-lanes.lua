-- New jobs that go into lanes: made for calls to queues that have any, or with jobs that bring keys. The jobs of a lane are
-- put there together.

local new_in_lanes = {}
-- Of each lane: queue, gate, key, ids. And those that went to the heads of lanes.
local of_lanes, in_order, at_heads = {}, {}, {}

-- The lane of a job whose hash is there; nothing when it has none. The job says it, from now on.
function new_in_lanes.lane_of(queue, first)
  local gate, key, found = queue.lanes.lane_of_new(lane_brought(first), ARGV[first + JOB.data])
  if found then redis.call('HSET', job_prefix .. ARGV[first + JOB.id], 'nrq_lane', found) end
  return gate and { gate, key }
end

function new_in_lanes.add(queue, lane, id, front)
  local gate, key = lane[1], lane[2]
  if front then
    queue.lanes.put(gate, key, { id }, true)
    at_heads[#at_heads + 1] = { queue, id }
    return
  end
  local place = gate.lane .. key
  local of = of_lanes[place]
  if not of then
    of = { queue = queue, gate = gate, key = key, ids = {} }
    of_lanes[place], in_order[#in_order + 1] = of, of
  end
  of.ids[#of.ids + 1] = id
end

function new_in_lanes.write()
  -- Their lanes take their turns in one step.
  local opened = {}
  for _, of in ipairs(in_order) do
    if of.queue.lanes.append(of.gate, of.key, of.ids) then
      local list = opened[of.gate] or {}
      opened[of.gate] = list
      list[#list + 1] = of.queue.lanes.now_micros
      list[#list + 1] = of.key
    end
  end
  for gate, list in pairs(opened) do
    for first = 1, #list, 4000 do
      redis.call('ZADD', gate.lanes, 'NX', unpack(list, first, math.min(first + 3999, #list)))
    end
  end
end

-- Nothing of the call stays. The hashes, which say the lanes, are still there.
function new_in_lanes.undo()
  for _, of in ipairs(in_order) do pcall(of.queue.lanes.take_out, of.ids) end
  for _, one in ipairs(at_heads) do pcall(one[1].lanes.take_out, { one[2] }) end
end

function new_in_lanes.close()
  for _, queue in ipairs(queues) do
    if not queue.is_plain then queue.lanes.close() end
  end
end
