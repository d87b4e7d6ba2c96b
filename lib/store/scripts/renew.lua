-- Extends the leases of what a worker is running and tells what it has lost or should end.
--
-- Flags allow-oom
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

local queue = queue_of({ name = ARGV.queue })
local until_score = score(now + tonumber(ARGV.lease))
local ids, members = {}, {}
for at = INDEX.leases, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
  members[#members + 1] = ARGV[at] .. ':' .. ARGV[at + 1]
end
local leases = redis.call('ZMSCORE', queue.started, unpack(members))
local canceled = redis.call('ZCARD', queue.canceled) > 0 and redis.call('ZMSCORE', queue.canceled, unpack(ids))
local stops = redis.call('EXISTS', queue.stops) == 1 and looked_at(redis.pcall('HMGET', queue.stops, unpack(members)))

local answer, renewed, mended = {}, {}, {}
local function tell(index, word)
  answer[#answer + 1] = index
  answer[#answer + 1] = word
end
for index, lease in ipairs(leases) do
  local key = job_prefix .. ids[index]
  local status = looked_at(redis.pcall('HGET', key, 'status'))
  if type(status) ~= 'string' then status = 'missing' end
  if not lease then
    tell(index, status)
  elseif canceled and canceled[index] then
    tell(index, 'canceled')
  elseif looked_at(redis.pcall('HEXISTS', key, 'data')) ~= 1 then
    tell(index, 'missing')
  else
    renewed[#renewed + 1] = until_score
    renewed[#renewed + 1] = members[index]
    if status ~= 'started' then mended[#mended + 1] = key end
    if stops and stops[index] then tell(index, 'stop') end
  end
end

-- The leases first: the rest may be refused.
batched('ZADD', queue.started, renewed)
pcall(note_alive, queue, tonumber(ARGV.lease))
for _, key in ipairs(mended) do redis.pcall('HSET', key, 'status', 'started') end
if ARGV.execution_ttl ~= '' then
  for at = 2, #renewed, 2 do
    local id, execution = string.match(renewed[at], '^(.*):(.*)$')
    renew_execution(id, execution, ARGV.execution_ttl)
  end
end
return answer
