-- Reads a job for somebody who waits for its result and, when it is not settled yet, marks it so that the
-- settlement is announced.
--
-- KEYS  1 job  2 ids that somebody waits for (set)
-- ARGV  1 id  2 seconds for which the mark lasts at least
-- Reply the fields of the job's hash, empty = no such job
-- State an unsettled job is a member of the set

local fields = redis.call('HGETALL', KEYS[1])
local status
for index = 1, #fields, 2 do
  if fields[index] == 'status' then status = fields[index + 1] end
end
if #fields > 0 and status ~= 'finished' and status ~= 'failed' and status ~= 'stopped' and status ~= 'canceled' then
  redis.call('SADD', KEYS[2], ARGV[1])
  redis.call('EXPIRE', KEYS[2], ARGV[2])
end
return fields
