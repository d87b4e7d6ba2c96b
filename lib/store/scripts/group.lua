-- Looks at a group: how many of its jobs stand where. What Python has done is taken in as far as it is found, as the sweep
-- does. Or forgets it, when none of its jobs is left.
--
-- Flags allow-oom
-- KEYS  members   RQ's set of the group's jobs
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       group     name of the group
--       action    'look' | 'forget'
-- Reply 1 how many are pending  2 finished  3 failed  4 canceled  5 1 = there is more to look at, 0 = nothing
-- State as the sweep leaves it. 'forget': of a group without jobs nothing is left, and those who wait for it are told

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include ended
--- @include go-on
--- @include sweep-groups

local group = groups.keys(ARGV.group)
local parent = '@' .. ARGV.group

-- What is left over is gone on with by the workers of whoever waits.
local function queue_of_waiting()
  local first = redis.call('SSCAN', dependents_key(parent), '0', 'COUNT', 10)[2][1]
  local origin = first and redis.pcall('HGET', job_prefix .. first, 'origin')
  return queue_named(type(origin) == 'string' and origin or '')
end

local is_known, more = redis.call('EXISTS', KEYS.members, group.pending, group.hash) > 0, false
local queue = queue_of_waiting()
if is_known then
  if redis.call('EXISTS', KEYS.members) == 1 then redis.call('SADD', prefix .. 'nrq:groups', ARGV.group) end
  if redis.call('EXISTS', queue.ended) == 1 then go_on(queue) end
  more = not groups.sweep(ARGV.group)
  tell_open(queue)
  more = more or hung.is_left
end
local function count(key) return redis.call('SCARD', key) end
local finished = tonumber(redis.call('HGET', group.hash, 'finished') or '0')
local counts = { count(group.pending), finished, count(group.failed), count(group.canceled), more and 1 or 0 }
if ARGV.action == 'forget' and not more and redis.call('EXISTS', KEYS.members, group.pending) == 0 then
  redis.call('DEL', group.hash, group.failed, group.canceled, dependents_key(parent))
  redis.call('SREM', prefix .. 'groups', ARGV.group)
  redis.call('SREM', prefix .. 'nrq:groups', ARGV.group)
end
return counts
