-- Extends the leases of what a worker is running and tells what it has lost or should end.
--
-- KEYS  list           the queue
-- ARGV  prefix         how the names of all keys begin
--       channels       how the names of our channels begin
--       queue          name of the queue
--       lease          milliseconds
--       execution_ttl  seconds for which RQ's records of executions are kept, '' = there are none
--       leases...      id, execution, id, execution, ...
-- Reply list of index (1-based), word, ...: 'stop' = somebody asked to stop it, else the status that the job
--       has now although it is not ours any more ('missing' = no such job)
-- State every execution that is still ours holds a full lease again, and its job says `started`, whatever Python has
--       written there meanwhile; the queue is known to be served

--- @include now
--- @include batched
--- @include queue
--- @include executions
--- @include alive

local queue = queue_named(ARGV.queue)
local until_score = score(now + tonumber(ARGV.lease))
local ids, members = {}, {}
for at = INDEX.leases, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
  members[#members + 1] = ARGV[at] .. ':' .. ARGV[at + 1]
end
local leases = redis.call('ZMSCORE', queue.started, unpack(members))
local canceled = redis.call('ZCARD', queue.canceled) > 0 and redis.call('ZMSCORE', queue.canceled, unpack(ids))
local stops = redis.call('EXISTS', queue.stops) == 1 and redis.call('HMGET', queue.stops, unpack(members))
note_alive(queue, tonumber(ARGV.lease))

local answer, renewed = {}, {}
local function tell(index, word)
  answer[#answer + 1] = index
  answer[#answer + 1] = word
end
for index, lease in ipairs(leases) do
  local key = job_prefix .. ids[index]
  local status = redis.pcall('HGET', key, 'status')
  if type(status) ~= 'string' then status = 'missing' end
  if not lease then
    tell(index, status)
  elseif canceled and canceled[index] then
    tell(index, 'canceled')
  elseif redis.pcall('HEXISTS', key, 'data') ~= 1 then
    tell(index, 'missing')
  else
    renewed[#renewed + 1] = until_score
    renewed[#renewed + 1] = members[index]
    if status ~= 'started' then redis.call('HSET', key, 'status', 'started') end
    if stops and stops[index] then tell(index, 'stop') end
    if ARGV.execution_ttl ~= '' then
      renew_execution(ids[index], string.sub(members[index], #ids[index] + 2), ARGV.execution_ttl)
    end
  end
end
batched('ZADD', queue.started, renewed)
return answer
