-- What is done to the jobs of a call, by the name of the action (`act`). A part of control.lua.

local function tell_worker(job, command)
  if job.status ~= 'started' then return end
  local worker = redis.pcall('HGET', job_prefix .. job.id, 'worker_name')
  if type(worker) == 'string' and worker ~= '' then send_command(worker, command, job.id) end
end

local function tell_canceled(queue, job, what)
  local is_running = job.status == 'started'
  local attempts = tonumber(redis.pcall('HGET', job_prefix .. job.id, 'nrq_attempts') or '') or 0
  local reason = ',"reason":"' .. what .. (is_running and ' while it ran"' or ' before it ran"')
  redis.pcall('PUBLISH', queue.events, event_text('canceled', job.id, attempts + (is_running and 1 or 0), reason))
end

-- Their unique keys are free, and their groups do not wait for them.
local function let_all_go(queue, jobs, how)
  if redis.pcall('EXISTS', queue.unique, prefix .. 'nrq:groups') == 0 then return end
  for _, job in ipairs(jobs) do let_go(job.id, how, how == 'deleted' or job.is_deleted) end
end

function act.cancel(queue, jobs)
  assure_places(queue)
  local listened = is_listened(queue)
  take_out(queue, jobs)
  local ending, kept, deleted = {}, {}, {}
  local releases = ARGV.dependents == 'release'
  -- They may be told in other calls than this, and a requeue of another parent asks again.
  local mark = releases and { 'nrq_released', now_text } or {}
  for _, job in ipairs(jobs) do
    local ttl = ttl_of(job.failure_ttl, ARGV.failure_ttl)
    if job.status == 'deferred' then leave_parents(job.id) end
    ending.is_unhurt = job.is_unhurt
    finish(queue, ending, job.id, 'canceled', ttl, 'text', '', unpack(mark))
    job.is_deleted = ttl == '0'
    local list = job.is_deleted and deleted or kept
    list[#list + 1] = job.id
  end
  let_all_go(queue, jobs, 'canceled')
  conclude(queue, ending)
  for _, job in ipairs(jobs) do
    tell_worker(job, 'cancel-job')
    if listened then tell_canceled(queue, job, 'canceled') end
  end
  ended_all(queue, kept, releases and 'released' or 'canceled')
  ended_all(queue, deleted, releases and 'released' or 'deleted')
end

function act.stop(queue, jobs)
  for _, job in ipairs(jobs) do
    -- For these executions alone: whoever runs the job next is not meant.
    for _, member in ipairs(job.executions or {}) do redis.call('HSET', queue.stops, member, '1') end
    if job.executions then redis.pcall('EXPIRE', queue.stops, 86400) end
    tell_worker(job, 'stop-job')
  end
end

-- Those that were canceled because of jobs that have been requeued wait for them again.
local function all_pending_again(queue, ids)
  local keys = {}
  for index, id in ipairs(ids) do keys[index] = dependents_key(id) end
  local found = redis.pcall('EXISTS', unpack(keys))
  if found == 0 then return end
  for _, id in ipairs(ids) do pending_again(queue, id) end
end

-- Another job holds its unique key: it stays where it is.
local function count_as_duplicate(found, job, holder)
  found.answers.done = found.answers.done - 1
  found.answers.duplicate = (found.answers.duplicate or 0) + 1
  found.status, found.stay = holder, found.stay + 1
  if job.index > (found.last_index or 0) then found.last, found.last_index = job.id, job.index end
end

function act.requeue(queue, jobs, found)
  local registries = { 'finished', 'failed', 'canceled' }
  redis.call('LLEN', queue.list)
  for _, command in ipairs({ 'LPUSH', 'RPUSH' }) do assure_right(command, queue.list) end
  for _, registry in ipairs(registries) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
  end
  for _, command in ipairs({ 'HSET', 'HDEL', 'HMGET', 'HEXISTS' }) do assure_right(command, job_prefix) end
  redis.call('HGET', queue.unique, '')
  for _, command in ipairs({ 'HGET', 'HSET' }) do assure_right(command, queue.unique) end
  local front = ARGV.argument == 'front'
  for _, job in ipairs(jobs) do note_level(queue, job.id, job.level) end
  local ids, requeued = {}, {}
  local function note(job)
    ids[#ids + 1] = job.id
    requeued[#requeued + 1] = job
  end
  for _, job in ipairs(jobs) do
    if not job.is_unique then note(job) end
  end
  queue_up_all(queue, ids, front, {})
  for _, job in ipairs(jobs) do
    if job.is_unique then
      -- Of two that are the same, the second is a duplicate as soon as the first waits.
      local holder = take_key_again(queue, job.id)
      if holder then
        count_as_duplicate(found, job, holder)
      else
        queue_up(queue, job.id, front)
        note(job)
      end
    end
  end
  if #ids == 0 then return end
  redis.pcall('SADD', prefix .. 'queues', queue.list)
  for _, job in ipairs(requeued) do
    local id, key = job.id, job_prefix .. job.id
    -- One that was canceled because of a parent shall run all the same.
    if job.status == 'canceled' and job.is_canceled_by then leave_parents(id) end
    redis.call('HDEL', key, 'started_at', 'ended_at', 'result', 'exc_info', 'nrq_crashes', 'nrq_reason', 'nrq_canceled_by',
      'nrq_released')
    if ARGV.retries ~= '' then renew_retries(id) end
    redis.pcall('PERSIST', key)
  end
  for _, registry in ipairs(registries) do batched('ZREM', queue[registry], ids) end
  all_pending_again(queue, ids)
  for _, job in ipairs(requeued) do
    local reopened = job.is_member and groups.rejoin(job.id)
    if reopened then pending_again(queue, reopened) end
  end
end

--- @include promote-now

function act.promote(queue, jobs) promote_now(queue, jobs) end

function act.delete(queue, jobs, found)
  assure_places(queue)
  local listened = is_listened(queue)
  trash.note(queue, jobs)
  take_out(queue, jobs)
  local keys, ids = {}, {}
  for index, job in ipairs(jobs) do
    ids[index] = job.id
    if job.has_parents then leave_parents(job.id) end
    tell_worker(job, 'cancel-job')
    if listened and not has_ended(job.status) then tell_canceled(queue, job, 'deleted') end
    if not job.is_kept then add_keys_of(job.id, keys) end
  end
  let_all_go(queue, jobs, 'deleted')
  batched('DEL', nil, keys)
  for _, job in ipairs(jobs) do
    if job.is_kept then
      trash.keep(job.id)
      found.answers.kept = (found.answers.kept or 0) + 1
    end
  end
  if redis.pcall('EXISTS', queue.watched) == 1 then
    for _, id in ipairs(ids) do announce(queue, id, 'canceled', 'text', 'deleted') end
  end
  ended_all(queue, ids, ARGV.dependents == 'delete' and 'delete' or 'deleted')
end

function act.meta(queue, jobs)
  for _, job in ipairs(jobs) do redis.call('HSET', job_prefix .. job.id, 'meta', ARGV.argument) end
end
