-- Writes down how far a running job is.
--
-- KEYS  1 job  2 started registry
-- ARGV  1 member of the started registry  2 the progress, JSON  3 channel of the queue's events  4 the event
-- Reply 1, or 0 when the lease is not ours any more: nothing is written then
-- State the job holds the progress

--- @include events

if not redis.call('ZSCORE', KEYS[2], ARGV[1]) or redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
redis.call('HSET', KEYS[1], 'nrq_progress', ARGV[2])
if is_listened(ARGV[3]) then redis.call('PUBLISH', ARGV[3], ARGV[4]) end
return 1
