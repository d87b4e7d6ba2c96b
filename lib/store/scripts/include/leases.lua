-- Which of these executions hold their lease, as list of false or true, when some do not or it could not be told.
-- added: what adding those that are absent has answered
local function leases_of(queue, members, added)
  local leases = redis.call('ZMSCORE', queue.started, unpack(members))
  if type(added) == 'table' then return leases end
  local lost = {}
  for index, member in ipairs(members) do
    if leases[index] == NO_LEASE then
      leases[index] = false
      lost[#lost + 1] = member
    end
  end
  batched('ZREM', queue.started, lost)
  return leases
end
