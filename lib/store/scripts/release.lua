-- Goes on telling the children of jobs that are over, where a call before has stopped to let others in.
--
-- Flags allow-oom
-- KEYS  ended     what is left over (hash)
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
-- Reply 1 = there is more, 0 = all are told
-- State every child that was told is where its parents' ends have put it

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include ended
--- @include go-on

local queue = queue_of({ name = ARGV.queue, ended = KEYS.ended })
return go_on(queue) and 1 or 0
