-- Gives all executions of one worker a full lease.
--
-- The thread of the lease guard runs it while the worker's event loop is blocked.
--
-- KEYS  none
-- ARGV  lease          milliseconds
--       token          begins the executions that are the worker's
--       registries...  names of the started registries of its queues
-- Reply number of executions
-- State what was settled or taken over meanwhile stays out; a registry that is not one is passed over

local time = redis.call('TIME')
local until_score =
  string.format('%.3f', tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV.lease) / 1000)
local found = 0
for at = INDEX.registries, #ARGV do
  local members = redis.pcall('ZRANGE', ARGV[at], 0, -1)
  if members.err and not string.find(members.err, 'WRONGTYPE', 1, true) then return members end
  for _, member in ipairs(members) do
    if string.find(member, ':' .. ARGV.token, 1, true) then
      redis.call('ZADD', ARGV[at], 'XX', until_score, member)
      found = found + 1
    end
  end
end
return found
