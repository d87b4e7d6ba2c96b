-- Gives all executions of one worker a full lease, but for those whose timeout has passed.
--
-- The thread of the lease guard runs it while the worker's event loop is blocked.
--
-- KEYS  none
-- ARGV  lease          milliseconds
--       token          begins the executions that are the worker's
--       over           executions that are left as they are, each as ' 0:0123456789abcdef ': the number of its registry
--                      and its last 16 digits
--       registries...  names of the started registries of its queues
-- Reply number of executions that have one
-- State what was settled or taken over meanwhile stays out; a registry that is not one is passed over

local time = redis.call('TIME')
local until_score =
  string.format('%.3f', tonumber(time[1]) + tonumber(time[2]) / 1000000 + tonumber(ARGV.lease) / 1000)
local found = 0
for at = INDEX.registries, #ARGV do
  local members = redis.pcall('ZRANGE', ARGV[at], 0, -1)
  if members.err and not string.find(members.err, 'WRONGTYPE', 1, true) then return members end
  for _, member in ipairs(members) do
    local is_ours = string.find(member, ':' .. ARGV.token, 1, true)
    local name = ' ' .. at - INDEX.registries .. ':' .. string.sub(member, -16) .. ' '
    if is_ours and not string.find(ARGV.over, name, 1, true) then
      redis.call('ZADD', ARGV[at], 'XX', until_score, member)
      found = found + 1
    end
  end
end
return found
