-- Groups: jobs that have a name in common, of any queues, and jobs that wait until all of these are over. What is kept of
-- a group is told in leave-group.lua; who waits for it is a set, `nrq:group-dependents:NAME`, as the one of a parent.
--
-- A job of ours is pending from the step that stores it. Python's are taken in: `Group.enqueue_many` writes RQ's set
-- alone. They are found since there are more ids in that set than we know of, and are marked with `nrq_member`. A look
-- through the set may take several calls: `scan` is how far it is, `size` how many ids there were when it began, `first`
-- the ids with which it began. A cursor means nothing any more when Redis was started anew: then these are others.

-- Ids of a page; what the look at one costs.
groups.PAGE, groups.LOOK = 100, 0.2

function groups.is_known(nrq_given, nrq_member)
  return nrq_member or string.find(nrq_given or '', 'g', 1, true)
end

-- How it has ended, as `end_of_parent` says; nil = it has not.
function groups.end_of_member(id)
  hung.steps = hung.steps + groups.LOOK
  local how, origin = end_of_parent(id)
  -- RQ leaves a job that waits for its next round with the status of the last one.
  if how == 'finished' and origin and redis.call('ZSCORE', queue_named(origin).scheduled, id) then return nil end
  return how == 'released' and 'canceled' or how
end

function groups.take_in_job(group, id, how)
  redis.call('HSET', job_prefix .. id, 'nrq_member', '1')
  for _, place in ipairs({ 'failed', 'canceled' }) do redis.call('SREM', group[place], id) end
  if how == 'finished' then
    redis.call('HINCRBY', group.hash, 'finished', 1)
  else
    local place = not how and 'pending' or how == 'canceled' and 'canceled' or 'failed'
    redis.call('SADD', group[place], id)
  end
end

-- Looks at ids of RQ's set. Answers how many of them were of no job, and are out of it now.
function groups.look_at_members(group, ids)
  if #ids == 0 then return 0 end
  local pending = redis.call('SMISMEMBER', group.pending, unpack(ids))
  local ghosts = {}
  for index, id in ipairs(ids) do
    hung.steps = hung.steps + groups.LOOK / 10
    if pending[index] == 0 then
      local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'nrq_given', 'nrq_member', 'created_at'))
      local is_known = not job.err and job[3] and groups.is_known(job[1], job[2])
      local how = not is_known and groups.end_of_member(id)
      if how == 'gone' then
        ghosts[#ghosts + 1] = id
      elseif not is_known then
        groups.take_in_job(group, id, how)
      end
    end
  end
  return groups.removed_from(group.members, ghosts)
end

function groups.first_ids(group)
  return table.concat(redis.call('SSCAN', group.members, '0', 'COUNT', 10)[2], ' ', 1)
end

-- Takes in what Python has added. Answers whether all of RQ's set is known. pages: how many are looked at even if it is
function groups.take_in(group, pages)
  local count = redis.call('SCARD', group.members)
  local noted = redis.call('HMGET', group.hash, 'known', 'scan', 'size', 'first')
  local is_known = tonumber(noted[1] or '0') == count
  if is_known and (pages == 0 or count == 0) then return true end
  local cursor, size = '0', count
  if noted[2] and noted[4] == groups.first_ids(group) then cursor, size = noted[2], tonumber(noted[3]) or count end
  while (pages > 0 or not is_known) and hung.steps < MOST_STEPS do
    local page = redis.call('SSCAN', group.members, cursor, 'COUNT', groups.PAGE)
    size, cursor, pages = size - groups.look_at_members(group, page[2]), page[1], pages - 1
    if cursor == '0' then
      count = redis.call('SCARD', group.members)
      -- What has come meanwhile is looked for in the next round.
      is_known = size == count
      redis.call('HSET', group.hash, 'known', size)
      size = count
      if is_known then break end
    end
  end
  if cursor == '0' then
    redis.call('HDEL', group.hash, 'scan', 'size', 'first')
  else
    redis.call('HSET', group.hash, 'scan', cursor, 'size', size, 'first', groups.first_ids(group))
  end
  return is_known
end

-- As of a parent: nil = not all of its jobs are over. One that is not known, or has no jobs, is finished. 'deleted': it
-- can never be that all of them have finished.
function groups.end_of(name)
  local group = groups.keys(name)
  if redis.call('EXISTS', group.pending) == 1 then return nil end
  if not groups.take_in(group, 0) or redis.call('EXISTS', group.pending) == 1 then return nil end
  if redis.call('EXISTS', group.failed, group.canceled) == 0 then return 'finished' end
  return redis.call('HEXISTS', group.hash, 'gone') == 1 and 'deleted' or 'failed'
end

-- A member that had ended waits again. Answers its group as a parent, if it was counted there.
function groups.rejoin(id)
  local job = redis.pcall('HMGET', job_prefix .. id, 'group_id', 'nrq_given', 'nrq_member')
  if job.err or not job[1] or job[1] == '' or not groups.is_known(job[2], job[3]) then return nil end
  local group = groups.keys(job[1])
  if redis.pcall('SADD', group.pending, id) ~= 1 then return nil end
  if groups.removed_from(group.failed, { id }) + groups.removed_from(group.canceled, { id }) == 0 then
    local finished = redis.pcall('HGET', group.hash, 'finished')
    if (tonumber(finished) or 0) > 0 then redis.pcall('HINCRBY', group.hash, 'finished', -1) end
  end
  return '@' .. group.name
end
