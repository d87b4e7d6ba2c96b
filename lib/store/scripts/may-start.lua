-- Tells whether a job of the queue may start now, for watchers: they look at this, not at how many jobs wait.
--
-- KEYS  list      the queue
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
-- Reply 1 1 = one may, 0 = none may  2 milliseconds since the epoch from which one may, '' = not known, or none waits
-- State nothing is changed but for what is over

--- @include now
--- @include batched
--- @include queue

local queue = queue_of({ name = ARGV.queue, list = KEYS.list })
local is_listed = redis.call('LLEN', queue.list) > 0
if queue.is_plain then return { is_listed and 1 or 0, '' } end
local room, _, opens = queue.lanes.room_of_queue()
local first = redis.call('ZRANGE', queue.gates, '0', '0', 'WITHSCORES')
local opening = first[2] and (first[2] == 'inf' and math.huge or tonumber(first[2]) / 1000)
if not is_listed and not opening then return { 0, '' } end
local at = is_listed and 0 or opening
if room <= 0 then at = math.max(at, opens or math.huge) end
if at <= now then return { 1, '' } end
return { 0, at < math.huge and string.format('%.0f', math.ceil(at)) or '' }
