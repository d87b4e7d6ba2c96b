-- Puts a job that has failed, was stopped or was canceled back into its queue. Its spent retries stay spent, as in RQ.
local function can_be_requeued(status) return status ~= 'finished' and has_ended(status) end

local function requeue(queue, id, front)
  local key = job_prefix .. id
  queue_up(queue, id, front)
  redis.call('SADD', prefix .. 'queues', queue.list)
  redis.call('HDEL', key, 'started_at', 'ended_at', 'result', 'exc_info', 'nrq_crashes', 'nrq_reason')
  redis.call('ZREM', queue.failed, id)
  redis.call('ZREM', queue.canceled, id)
  redis.call('PERSIST', key)
end
