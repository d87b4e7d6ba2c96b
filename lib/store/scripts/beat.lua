-- Shows that a worker lives, what it does, and what it has done since the last time.
--
-- KEYS  worker    hash of the worker
--       workers   set of the keys of all workers
-- ARGV  prefix    how the names of all keys begin
--       ttl       seconds after which a worker that shows nothing more is not listed
--       state     'idle' | 'busy' | 'suspended'
--       finished  jobs that succeeded since the last time
--       failed    jobs that failed since then
--       seconds   for which handlers ran since then
--       begins    '1' = the worker starts: what an earlier one of its name left is forgotten
--       birth...  number of queues, their names, number of fields and values, field, value, ...: written when the
--                 worker starts, and again when Redis has lost it
-- Reply 1
-- State the worker is listed until its time to live is over

--- @include now

local queues = tonumber(ARGV[INDEX.birth])
local fields = INDEX.birth + queues + 1
if ARGV.begins == '1' then redis.call('DEL', KEYS.worker) end
if redis.call('EXISTS', KEYS.worker) == 0 then
  redis.call('HSET', KEYS.worker, 'birth', now_text, unpack(ARGV, fields + 1, fields + tonumber(ARGV[fields])))
  redis.call('SADD', KEYS.workers, KEYS.worker)
  for index = INDEX.birth + 1, INDEX.birth + queues do
    redis.call('SADD', KEYS.workers .. ':' .. ARGV[index], KEYS.worker)
    -- RQ's tools list workers by the queues that they know.
    redis.call('SADD', ARGV.prefix .. 'queues', ARGV.prefix .. 'queue:' .. ARGV[index])
  end
end
redis.call('HSET', KEYS.worker, 'last_heartbeat', now_text, 'state', ARGV.state)
if ARGV.finished ~= '0' then redis.call('HINCRBY', KEYS.worker, 'successful_job_count', ARGV.finished) end
if ARGV.failed ~= '0' then redis.call('HINCRBY', KEYS.worker, 'failed_job_count', ARGV.failed) end
if ARGV.seconds ~= '0' then redis.call('HINCRBYFLOAT', KEYS.worker, 'total_working_time', ARGV.seconds) end
redis.call('EXPIRE', KEYS.worker, ARGV.ttl)
return 1
