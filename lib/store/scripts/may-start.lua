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
--- @include when-may-start

local at = opening_of_queue(queue_of({ name = ARGV.queue, list = KEYS.list }))
if not at then return { 0, '' } end
if at <= now then return { 1, '' } end
return { 0, at < math.huge and string.format('%.0f', math.ceil(at)) or '' }
