-- Shows that a worker lives, what it does, and what it has done since the last time.
--
-- Flags allow-oom
-- KEYS  worker    hash of the worker
--       workers   set of the keys of all workers
--       viewed    exists while somebody looks at live figures
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       ttl       seconds after which a worker that shows nothing more is not listed
--       state     'idle' | 'busy' | 'suspended'
--       finished  jobs that succeeded since the last time
--       failed    jobs that failed since then
--       seconds   for which handlers ran since then
--       activity  JSON: list of field, value, ... of the hash, as they are now
--       figures   JSON: per served queue its name, and a list of what was counted there (see include/add-figures.lua)
--       begins    '1' = the worker starts: what an earlier one of its name left is forgotten
--       birth...  number of queues, their names, number of fields and values, field, value, ...: written when the
--                 worker starts, and again when Redis has lost it
-- Reply 1 = somebody looks at live figures, 0 = nobody
-- State the worker is listed until its time to live is over, and its counts are in the buckets

--- @include now
--- @include rights

local queues = tonumber(ARGV[INDEX.birth])
local fields = INDEX.birth + queues + 1
local begins = ARGV.begins == '1'
local is_new = begins or redis.call('EXISTS', KEYS.worker) == 0

-- Half a beat would list a worker for ever, or count its jobs twice when it is repeated: what may fail is looked at first.
if not begins then redis.call('HLEN', KEYS.worker) end
for _, command in ipairs({ 'HSET', 'HINCRBY', 'HINCRBYFLOAT', 'EXPIRE' }) do assure_right(command, KEYS.worker) end
if is_new then
  redis.call('SCARD', KEYS.workers)
  assure_right('SADD', KEYS.workers)
end

if begins then redis.call('DEL', KEYS.worker) end
if is_new then
  redis.call('HSET', KEYS.worker, 'birth', now_text, unpack(ARGV, fields + 1, fields + tonumber(ARGV[fields])))
  redis.call('SADD', KEYS.workers, KEYS.worker)
  for index = INDEX.birth + 1, INDEX.birth + queues do
    redis.pcall('SADD', KEYS.workers .. ':' .. ARGV[index], KEYS.worker)
    -- RQ's tools list workers by the queues that they know.
    redis.pcall('SADD', ARGV.prefix .. 'queues', ARGV.prefix .. 'queue:' .. ARGV[index])
  end
end
redis.call('HSET', KEYS.worker, 'last_heartbeat', now_text, 'state', ARGV.state)
redis.call('EXPIRE', KEYS.worker, ARGV.ttl)
-- What stands there may be no number: then it stays as it is.
if ARGV.finished ~= '0' then redis.pcall('HINCRBY', KEYS.worker, 'successful_job_count', ARGV.finished) end
if ARGV.failed ~= '0' then redis.pcall('HINCRBY', KEYS.worker, 'failed_job_count', ARGV.failed) end
if ARGV.seconds ~= '0' then redis.pcall('HINCRBYFLOAT', KEYS.worker, 'total_working_time', ARGV.seconds) end
local activity = cjson.decode(ARGV.activity)
if #activity > 0 then redis.pcall('HSET', KEYS.worker, unpack(activity)) end

--- @include add-figures

-- Nothing depends on them: a bucket that cannot be written does not keep the worker from being listed.
for _, counted in ipairs(cjson.decode(ARGV.figures)) do pcall(add_figures, counted[1], counted[2]) end
return redis.call('EXISTS', KEYS.viewed)
