-- Jobs that wait for a time or for other jobs run now. Where each goes is what it says, as when its time had come. Those
-- that do not wait for their parents any more are none of theirs.

local function promote_now(queue, jobs)
  for _, command in ipairs({ 'LPUSH', 'RPUSH' }) do assure_right(command, queue.list) end
  redis.call('LLEN', queue.list)
  for _, registry in ipairs({ 'scheduled', 'deferred' }) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
  end
  local ids, front, back, keeps_time = {}, {}, {}, {}
  for index, job in ipairs(jobs) do
    local fields = redis.call('HMGET', job_prefix .. job.id, 'enqueue_at_front', 'nrq_crashes', 'ttl', 'nrq_level')
    ids[index] = job.id
    local list = fields[1] == '1' and front or back
    list[#list + 1] = job.id
    note_level(queue, job.id, fields[4])
    -- It was put off because workers died of it (see crashes.lua).
    keeps_time[job.id] = job.status == 'scheduled' and fields[2] and true
    job.ttl = tonumber(fields[3])
  end
  queue_up_all(queue, back, false, keeps_time, true)
  queue_up_all(queue, front, true, keeps_time)
  redis.pcall('SADD', prefix .. 'queues', queue.list)
  for _, job in ipairs(jobs) do
    if job.status == 'deferred' then leave_parents(job.id) end
    local left = redis.pcall('PTTL', job_prefix .. job.id)
    -- The time that it may wait begins now.
    if job.ttl and type(left) == 'number' and left > job.ttl * 1000 then
      redis.pcall('EXPIRE', job_prefix .. job.id, job.ttl)
    end
  end
  batched('ZREM', queue.scheduled, ids)
  batched('ZREM', queue.deferred, ids)
  pcall(batched, 'ZREM', queue.late, ids)
  pcall(batched, 'ZREM', queue.retrying, ids)
end
