-- What is deleted is kept for an hour, if that is asked for. A part of control.lua.

--- @include trash

-- Before anything else is written: notes of each job that can be kept where it stands, and until when it would have been.
function trash.note(queue, jobs)
  if ARGV.keep == '' then return end
  local list = queue.deleted .. ARGV.keep
  redis.call('LLEN', list)
  for _, command in ipairs({ 'RPUSH', 'EXPIRE' }) do assure_right(command, list) end
  for _, command in ipairs({ 'RENAME', 'HSET', 'EXPIRE', 'PTTL', 'EXISTS' }) do assure_right(command, job_prefix) end
  local ids = {}
  for _, job in ipairs(jobs) do
    local key, registry = job_prefix .. job.id, trash.REGISTRIES[job.status]
    local score = registry and redis.call('ZSCORE', queue[registry], job.id)
    local left = score and redis.call('PTTL', key)
    if left and left ~= 0 and redis.call('EXISTS', dependents_key(job.id)) == 0 then
      local ends = left < 0 and '-' or string.format('%.0f', now + left)
      redis.call('HSET', key, 'nrq_trash', registry .. ' ' .. score .. ' ' .. ends)
      job.is_kept = true
      ids[#ids + 1] = job.id
    end
  end
  if #ids == 0 then return end
  batched('RPUSH', list, ids)
  redis.call('EXPIRE', list, trash.KEPT)
end

-- In place of the deletion of its keys.
function trash.keep(id)
  for _, names in ipairs(trash.keys_of(id)) do
    if redis.call('EXISTS', names[1]) == 1 then
      redis.call('RENAME', names[1], names[2])
      redis.call('EXPIRE', names[2], trash.KEPT)
    end
  end
end
