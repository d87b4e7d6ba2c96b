-- Writes down how far a running job is.
--
-- KEYS  job       the job
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of its queue
--       member    of the started registry
--       progress  JSON
--       event     the event, JSON
-- Reply 1, or 0 when the lease is not ours any more: nothing is written then
-- State the job holds the progress

--- @include queue
--- @include events-listened

local queue = queue_of({ name = ARGV.queue })
if not redis.call('ZSCORE', queue.started, ARGV.member) or redis.call('EXISTS', KEYS.job) == 0 then return 0 end
redis.call('HSET', KEYS.job, 'nrq_progress', ARGV.progress)
if is_listened(queue) then redis.pcall('PUBLISH', queue.events, ARGV.event) end
return 1
