-- Puts a job that has failed, was stopped or was canceled back into its queue. Its spent retries stay spent, as in RQ.
local function can_be_requeued(status) return status ~= 'finished' and has_ended(status) end

-- Raises when one of the places holds something else or may not be written to: before anything is written.
local function assure_requeue(queue)
  redis.call('LLEN', queue.list)
  for _, command in ipairs({ 'LPUSH', 'RPUSH' }) do assure_right(command, queue.list) end
  for _, registry in ipairs({ 'failed', 'canceled' }) do
    redis.call('ZCARD', queue[registry])
    assure_right('ZREM', queue[registry])
  end
  for _, command in ipairs({ 'HSET', 'HDEL' }) do assure_right(command, job_prefix) end
end

local function requeue(queue, id, front)
  local key = job_prefix .. id
  queue_up(queue, id, front)
  redis.pcall('SADD', prefix .. 'queues', queue.list)
  -- One that was canceled because of a parent shall run all the same.
  if redis.pcall('HEXISTS', key, 'nrq_canceled_by') == 1 then leave_parents(id) end
  redis.call('HDEL', key, 'started_at', 'ended_at', 'result', 'exc_info', 'nrq_crashes', 'nrq_reason', 'nrq_canceled_by')
  redis.call('ZREM', queue.failed, id)
  redis.call('ZREM', queue.canceled, id)
  redis.pcall('PERSIST', key)
end
