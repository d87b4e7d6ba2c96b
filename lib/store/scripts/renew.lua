-- Extends the leases of what a worker is running and tells what it has lost or should end.
--
-- Flags allow-oom
-- KEYS  started    the started registry
-- ARGV  prefix     how the names of all keys begin
--       lease      milliseconds
--       leases...  id, execution, id, execution, ...
-- Reply list of index (1-based), word, ...: 'stop' = somebody asked to stop it, else the status that the job
--       has now although it is not ours any more ('missing' = no such job)
-- State every execution that is still ours holds a full lease again

--- @include now
--- @include batched
--- @include jobs

local until_score = score(now + tonumber(ARGV.lease))
local ids, members = {}, {}
for at = INDEX.leases, #ARGV, 2 do
  ids[#ids + 1] = ARGV[at]
  members[#members + 1] = ARGV[at] .. ':' .. ARGV[at + 1]
end
local leases = redis.call('ZMSCORE', KEYS.started, unpack(members))
local answer, renewed = {}, {}
for index, lease in ipairs(leases) do
  local job = looked_at(redis.pcall('HMGET', job_prefix .. ids[index], 'status', 'nrq_stop'))
  local status = not job.err and job[1] or 'missing'
  if lease and status == 'started' then
    renewed[#renewed + 1] = until_score
    renewed[#renewed + 1] = members[index]
    if job[2] then
      answer[#answer + 1] = index
      answer[#answer + 1] = 'stop'
    end
  else
    answer[#answer + 1] = index
    answer[#answer + 1] = status
  end
end
batched('ZADD', KEYS.started, renewed)
return answer
