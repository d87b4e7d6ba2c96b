-- Fails a job that keeps killing its workers: too many died while they ran it. A part of recover.lua, which counts.

-- execution: the one that ended with the last of them; streamed: the failure also goes to RQ's stream of results.
local function fail_as_poison(id, ttl, streamed, attempt, worker, execution)
  local lost = event_text('lost', id, attempt, '')
  tell(lost)
  tell(event_text('failed', id, attempt, ',"error":' .. ARGV.error))
  if streamed and ttl ~= '0' then
    -- Its key may hold something else; the failure is in the hash, too.
    pcall(add_result, id, ttl, 'type', STREAMED_FAILED, 'exc_string', ARGV.streamed_failure, 'worker_name', worker,
      'execution_id', execution)
  end
  finish(queue, ending, id, 'failed', ttl, 'text', ARGV.failure, 'exc_info', ARGV.failure)
  let_go(id, 'failed', ttl == '0')
  report(id, 'failed', lost)
end
