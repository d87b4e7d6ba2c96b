-- What a job holds until it ends: its unique key, and its place among the pending jobs of its group. Whoever ends or
-- deletes a job says so here, while its hash is still there.

--- @include release-key
--- @include leave-group

-- how: 'finished' | 'failed' | 'stopped' | 'canceled' | 'deleted'; is_deleted: its hash goes, too
local function let_go(id, how, is_deleted)
  local job = redis.pcall('HMGET', job_prefix .. id, 'nrq_unique', 'origin', 'group_id')
  if job.err then return end
  if job[1] and job[2] then release_key(id, how, job[1], job[2]) end
  if job[3] and job[3] ~= '' then groups.leave(job[3], { id }, how, is_deleted) end
end
