-- Reads a job for somebody who waits for its result. A job that has not ended is marked, so that its end is announced.
--
-- KEYS  job      the job
--       watched  ids that somebody waits for (set)
-- ARGV  id       of the job
--       seconds  for which the mark lasts at least
-- Reply the fields of the job's hash, empty = no such job
-- State an unsettled job is a member of the set

--- @include statuses
--- @include rights

local fields = redis.call('HGETALL', KEYS.job)
local status
for index = 1, #fields, 2 do
  if fields[index] == 'status' then status = fields[index + 1] end
end
if #fields > 0 and not has_ended(status) then
  assure_right('EXPIRE', KEYS.watched)
  redis.call('SADD', KEYS.watched, ARGV.id)
  redis.call('EXPIRE', KEYS.watched, ARGV.seconds)
end
return fields
