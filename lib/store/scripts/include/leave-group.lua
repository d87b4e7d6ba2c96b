-- Members of groups end. RQ keeps the ids of a group's jobs for as long as these are there (`group:NAME`). Ours are the
-- ids of those that have not ended (`nrq:group-pending:NAME`), that have failed (`nrq:group-failed:NAME`), that were
-- canceled or are gone without having finished (`nrq:group-canceled:NAME`), and a hash (`nrq:group:NAME`):
--
--   finished  how many have finished
--   gone      one that has not finished and that nobody can requeue, as it was deleted
--   known     how many ids of RQ's set we know of: others were added by Python (see groups.lua)
--
-- The names of all groups that we look after are a set, `nrq:groups`. What Redis refuses here is mended by the sweep.

-- In a table, as a function in Lua has room for 200 local names.
local groups = {}

function groups.keys(name)
  return {
    name = name,
    members = prefix .. 'group:' .. name,
    hash = prefix .. 'nrq:group:' .. name,
    pending = prefix .. 'nrq:group-pending:' .. name,
    failed = prefix .. 'nrq:group-failed:' .. name,
    canceled = prefix .. 'nrq:group-canceled:' .. name,
  }
end

-- The group that a parent is, if it is one.
function groups.named_by(parent)
  return string.byte(parent) == 64 and string.sub(parent, 2) or nil
end

-- Answers how many ids a set has lost.
function groups.removed_from(key, ids)
  local count = 0
  for first = 1, #ids, 4000 do
    local answer = redis.pcall('SREM', key, unpack(ids, first, math.min(first + 3999, #ids)))
    if type(answer) == 'number' then count = count + answer end
  end
  return count
end

-- One that has not finished, or had not: answers whether that was news.
function groups.note_failure(group, id, place, is_deleted)
  local was_pending = redis.pcall('SREM', group.pending, id) == 1
  if was_pending then redis.pcall('SADD', place, id) end
  if not is_deleted then return was_pending end
  local has_failed = was_pending or redis.pcall('SISMEMBER', group.failed, id) == 1
    or redis.pcall('SISMEMBER', group.canceled, id) == 1
  if has_failed then redis.pcall('HSETNX', group.hash, 'gone', id) end
  return has_failed
end

-- how: 'finished' | 'failed' | 'stopped' | 'canceled' | 'deleted'; is_deleted: their hashes go, too
function groups.leave(name, ids, how, is_deleted)
  local group, is_changed = groups.keys(name), false
  if how == 'finished' then
    local count = groups.removed_from(group.pending, ids)
    if count > 0 then redis.pcall('HINCRBY', group.hash, 'finished', count) end
    is_changed = count > 0
  else
    local place = (how == 'canceled' or how == 'deleted') and group.canceled or group.failed
    for _, id in ipairs(ids) do is_changed = groups.note_failure(group, id, place, is_deleted) or is_changed end
  end
  if is_deleted then
    local count = groups.removed_from(group.members, ids)
    if count > 0 and redis.pcall('EXISTS', group.hash) == 1 then redis.pcall('HINCRBY', group.hash, 'known', -count) end
  end
  if is_changed and redis.pcall('EXISTS', group.pending) == 0 then
    emptied = emptied or {}
    emptied[#emptied + 1] = name
  end
end

-- Members that have finished, of any groups.
function groups.leave_as_finished(ids, is_deleted)
  local by_name = {}
  for _, id in ipairs(ids) do
    local name = redis.pcall('HGET', job_prefix .. id, 'group_id')
    if type(name) == 'string' and name ~= '' then
      local members = by_name[name] or {}
      by_name[name] = members
      members[#members + 1] = id
    end
  end
  for name, members in pairs(by_name) do groups.leave(name, members, 'finished', is_deleted) end
end
