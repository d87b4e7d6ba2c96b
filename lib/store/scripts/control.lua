-- What people and programs do to a job from outside: cancel, stop, requeue, delete, replace its meta.
--
-- KEYS  1 job  2 queue (list)  3 intermediate list  4 scheduled  5 finished  6 failed  7 canceled  8 deferred
--       9 ids that somebody waits for (set)  10 results of the job  11 dependents of the job  12 its dependencies
--       13 queues (set)  14 started registry
-- ARGV  1 'cancel' | 'stop' | 'requeue' | 'delete' | 'meta'  2 id  3 channel of settled jobs  4 channel prefix of workers
--       5 'front' | 'back' (requeue), text of the meta (meta)  6 channel of the queue's events
-- Reply 1 'done' | 'refused' | 'missing'  2 the status that the job had
-- State as RQ leaves it, in one step. A running job that is canceled or deleted is told to its worker, and its lease
--       is taken away, so that the worker's outcome is refused whatever becomes of the job or its id before it comes;
--       one that is stopped is ended by its worker.

--- @include now
--- @include announce
--- @include events

local action, id = ARGV[1], ARGV[2]
local job = redis.call('HMGET', KEYS[1], 'status', 'worker_name', 'data', 'nrq_attempts')
if not job[3] and not job[1] then return { 'missing', '' } end
local status = job[1] or 'queued'

local function tell_worker(command)
  if status == 'started' and job[2] and job[2] ~= '' then
    redis.call('PUBLISH', ARGV[4] .. job[2], cjson.encode({ command = command, job_id = id }))
  end
end

local function tell_canceled(reason)
  if not is_listened(ARGV[6]) then return end
  local attempt = (tonumber(job[4]) or 0) + (status == 'started' and 1 or 0)
  redis.call('PUBLISH', ARGV[6], event_text('canceled', KEYS[1], id, attempt, ',"reason":"' .. reason .. '"'))
end

local function take_out()
  if status == 'queued' then
    redis.call('LREM', KEYS[2], 0, id)
    redis.call('LREM', KEYS[3], 0, id)
  end
  for registry = 4, 8 do redis.call('ZREM', KEYS[registry], id) end
  if status == 'started' then
    for _, member in ipairs(redis.call('ZRANGE', KEYS[14], 0, -1)) do
      if member == id or string.match(member, '^(.*):') == id then redis.call('ZREM', KEYS[14], member) end
    end
  end
end

if action == 'cancel' then
  if status == 'finished' or status == 'failed' or status == 'stopped' or status == 'canceled' then
    return { 'refused', status }
  end
  take_out()
  redis.call('ZADD', KEYS[7], string.format('%d', math.floor(now / 1000)), id)
  redis.call('HSET', KEYS[1], 'status', 'canceled')
  redis.call('PERSIST', KEYS[1])
  tell_worker('cancel-job')
  announce(KEYS[9], ARGV[3], id, 'canceled', 'text', '')
  tell_canceled(status == 'started' and 'canceled while it ran' or 'canceled before it ran')
elseif action == 'stop' then
  if status ~= 'started' then return { 'refused', status } end
  redis.call('HSET', KEYS[1], 'nrq_stop', '1')
  tell_worker('stop-job')
elseif action == 'requeue' then
  if status ~= 'failed' and status ~= 'stopped' and status ~= 'canceled' then return { 'refused', status } end
  redis.call(ARGV[5] == 'front' and 'LPUSH' or 'RPUSH', KEYS[2], id)
  redis.call('HSET', KEYS[1], 'status', 'queued', 'enqueued_at', now_text)
  redis.call('SADD', KEYS[13], KEYS[2])
  redis.call('HDEL', KEYS[1], 'started_at', 'ended_at', 'result', 'exc_info', 'nrq_stop', 'nrq_crashes', 'nrq_reason')
  redis.call('ZREM', KEYS[6], id)
  redis.call('ZREM', KEYS[7], id)
  redis.call('PERSIST', KEYS[1])
elseif action == 'delete' then
  take_out()
  tell_worker('cancel-job')
  if status == 'queued' or status == 'scheduled' or status == 'deferred' then tell_canceled('deleted before it ran') end
  if status == 'started' then tell_canceled('deleted while it ran') end
  redis.call('DEL', KEYS[1], KEYS[10], KEYS[11], KEYS[12])
  announce(KEYS[9], ARGV[3], id, 'canceled', 'text', 'deleted')
elseif action == 'meta' then
  redis.call('HSET', KEYS[1], 'meta', ARGV[5])
end
return { 'done', status }
