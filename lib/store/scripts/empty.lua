-- Deletes waiting jobs from the head of the queue, a slice at a time.
--
-- KEYS  list    the queue
-- ARGV  prefix  how the names of all keys begin
--       most    how many at most
-- Reply number of jobs deleted
-- State the jobs and everything of theirs are gone

--- @include batched
--- @include jobs
--- @include rights

local ids = redis.call('LRANGE', KEYS.list, 0, tonumber(ARGV.most) - 1)
local keys = {}
for _, id in ipairs(ids) do add_keys_of(id, keys) end
if #ids > 0 then assure_right('LTRIM', KEYS.list) end
batched('DEL', nil, keys)
if #ids > 0 then redis.call('LTRIM', KEYS.list, #ids, -1) end
return #ids
