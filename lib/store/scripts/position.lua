-- Tells where a job stands in its line: the queue, or its lane.
--
-- KEYS  list      the queue
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       id        of the job
-- Reply its 0-based place, nothing = it waits in neither
-- State nothing is changed

--- @include now
--- @include batched
--- @include queue

local queue = queue_of({ name = ARGV.queue, list = KEYS.list })
local place = redis.call('LPOS', queue.list, ARGV.id)
if not place and not queue.is_plain then place = queue.lanes.place_of(ARGV.id) end
return place
