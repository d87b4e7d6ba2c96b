-- Deletes waiting jobs from the head of the queue, a slice at a time.
--
-- KEYS  1 queue (list)
-- ARGV  1 key prefix of jobs  2 key prefix of results  3 how many at most
-- Reply number of jobs deleted
-- State the jobs and everything of theirs are gone

--- @include batched

local ids = redis.call('LRANGE', KEYS[1], 0, tonumber(ARGV[3]) - 1)
local keys = {}
for _, id in ipairs(ids) do
  keys[#keys + 1] = ARGV[1] .. id
  keys[#keys + 1] = ARGV[2] .. id
  keys[#keys + 1] = ARGV[1] .. id .. ':dependents'
  keys[#keys + 1] = ARGV[1] .. ':' .. id .. ':dependencies'
end
batched('DEL', nil, keys)
if #ids > 0 then redis.call('LTRIM', KEYS[1], #ids, -1) end
return #ids
