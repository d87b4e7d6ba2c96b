-- What people and programs do to a job from outside: cancel, stop, requeue, delete, replace its meta.
--
-- Flags allow-oom
-- KEYS  job          the job
-- ARGV  prefix       how the names of all keys begin
--       channels     how the names of our channels begin
--       queue        name of its queue
--       action       'cancel' | 'stop' | 'requeue' | 'delete' | 'meta'
--       id           of the job
--       argument     'front' | 'back' (requeue), text of the meta (meta)
--       failure_ttl  in seconds, of jobs that have none: how long a canceled job is kept
--       dependents   what becomes of those that wait for it: 'end' = what each says itself, 'release' (cancel) = they
--                    need not wait for it, 'delete' (delete) = they are deleted, too
-- Reply 1 'done' | 'already' (it is as asked for: a call that is repeated changes nothing) | 'refused' | 'missing' |
--         'duplicate' (requeue: another job holds its unique key)
--       2 the status that the job had; of a duplicate the id of the other job
--       3 '1' = children are still to be told (see release.lua), '' = none
-- State as RQ leaves it, in one step. A running job that is canceled or deleted is told to its worker, and its lease
--       is taken away, so that the worker's outcome is refused whatever becomes of the job or its id before it comes;
--       one that is stopped is ended by its worker.

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include executions
--- @include commands
--- @include ended
--- @include unique
--- @include requeue

local action, id = ARGV.action, ARGV.id
local queue = queue_of({ name = ARGV.queue })
local job = redis.call('HMGET', KEYS.job, 'status', 'worker_name', 'data', 'nrq_attempts', 'failure_ttl')
if not job[3] and not job[1] then return { 'missing', '', '' } end
local status = job[1] or 'queued'
if status == 'rate_limited' or status == 'ready_to_enqueue' then status = 'deferred' end

-- Members of the started registry: whoever holds a lease runs the job, whatever status Python has written meanwhile.
local executions = {}
for _, member in ipairs(redis.call('ZRANGE', queue.started, 0, -1)) do
  if member == id or string.match(member, '^(.*):') == id then executions[#executions + 1] = member end
end
if #executions > 0 and not stands_at_end(queue, id, status) then status = 'started' end
-- RQ leaves a job that waits for its next round with the status of the last one.
if status == 'finished' and redis.call('ZSCORE', queue.scheduled, id) then status = 'scheduled' end

local function tell_worker(command)
  if status == 'started' and job[2] and job[2] ~= '' then send_command(job[2], command, id) end
end

local function tell_canceled(reason)
  if not is_listened(queue) then return end
  local attempt = (tonumber(job[4]) or 0) + (status == 'started' and 1 or 0)
  redis.pcall('PUBLISH', queue.events, event_text('canceled', id, attempt, ',"reason":"' .. reason .. '"'))
end

-- Raises when one of the places of jobs holds something else or may not be written to: nothing is changed then.
local function assure_places()
  for _, list in ipairs({ queue.list, queue.intermediate }) do
    redis.call('LLEN', list)
    for _, command in ipairs({ 'LREM', 'LPUSH', 'RPUSH' }) do assure_right(command, list) end
  end
  for _, registry in ipairs({ 'scheduled', 'finished', 'failed', 'canceled', 'deferred', 'started' }) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
    assure_right('ZADD', queue[registry])
  end
  for _, command in ipairs({ 'HSET', 'HDEL', 'DEL' }) do assure_right(command, KEYS.job) end
end

local function take_out()
  if not has_ended(status) then
    redis.call('LREM', queue.list, 0, id)
    redis.call('LREM', queue.intermediate, 0, id)
  end
  for _, registry in ipairs({ 'scheduled', 'finished', 'failed', 'canceled', 'deferred' }) do
    redis.call('ZREM', queue[registry], id)
  end
  for _, member in ipairs(executions) do
    redis.call('ZREM', queue.started, member)
    end_execution(id, string.sub(member, #id + 2))
  end
end

local already = { cancel = 'canceled', stop = 'stopped', requeue = 'queued' }
if status == already[action] then return { 'already', status, '' } end

if action == 'cancel' then
  if has_ended(status) then return { 'refused', status, '' } end
  assure_places()
  take_out()
  local ending = {}
  local ttl = ttl_of(job[5], ARGV.failure_ttl)
  if status == 'deferred' then leave_parents(id) end
  finish(queue, ending, id, 'canceled', ttl, 'text', '')
  release_key(id, 'canceled')
  conclude(queue, ending)
  tell_worker('cancel-job')
  tell_canceled(status == 'started' and 'canceled while it ran' or 'canceled before it ran')
  ended_all(queue, { id }, ARGV.dependents == 'release' and 'released' or ttl == '0' and 'deleted' or 'canceled')
elseif action == 'stop' then
  if status ~= 'started' then return { 'refused', status, '' } end
  -- For these executions alone: whoever runs the job next is not meant.
  for _, member in ipairs(executions) do redis.call('HSET', queue.stops, member, '1') end
  if #executions > 0 then redis.pcall('EXPIRE', queue.stops, 86400) end
  tell_worker('stop-job')
elseif action == 'requeue' then
  if not can_be_requeued(status) then return { 'refused', status, '' } end
  assure_requeue(queue)
  local holder = take_key_again(queue, id)
  if holder then return { 'duplicate', holder, '' } end
  requeue(queue, id, ARGV.argument == 'front')
  pending_again(queue, id)
elseif action == 'delete' then
  assure_places()
  take_out()
  tell_worker('cancel-job')
  if status == 'queued' or status == 'scheduled' or status == 'deferred' then tell_canceled('deleted before it ran') end
  if status == 'started' then tell_canceled('deleted while it ran') end
  leave_parents(id)
  local keys = {}
  add_keys_of(id, keys)
  release_key(id, 'deleted')
  redis.call('DEL', unpack(keys))
  announce(queue, id, 'canceled', 'text', 'deleted')
  ended_all(queue, { id }, ARGV.dependents == 'delete' and 'delete' or 'deleted')
elseif action == 'meta' then
  redis.call('HSET', KEYS.job, 'meta', ARGV.argument)
end
return { 'done', status, hung.is_left and '1' or '' }
