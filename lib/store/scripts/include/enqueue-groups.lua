-- New jobs that belong to groups: made for calls that have any. Each is pending in its group from the step that stores it.

--- @include leave-group

-- members: group -> ids of this call; joined: group -> those of them that have been added to RQ's set
local joins = { members = {}, joined = {} }

for _, index in ipairs(fresh) do
  local name = groups_of[tonumber(ARGV[starts[index] + JOB.template])]
  if name then
    local ids = joins.members[name] or {}
    joins.members[name] = ids
    ids[#ids + 1] = ARGV[starts[index] + JOB.id]
  end
end

-- A group of which no job is left begins anew.
local function forget_old(group)
  if redis.call('EXISTS', group.members, group.pending) == 0 then
    redis.pcall('DEL', group.hash, group.failed, group.canceled)
  end
end

local function join(group, ids)
  forget_old(group)
  local added = 0
  for first = 1, #ids, 4000 do
    local last = math.min(first + 3999, #ids)
    added = added + redis.call('SADD', group.members, unpack(ids, first, last))
    redis.call('SADD', group.pending, unpack(ids, first, last))
  end
  redis.call('HINCRBY', group.hash, 'known', added)
  -- A job of the same id may have been there before.
  if redis.call('EXISTS', group.failed, group.canceled) > 0 then
    groups.removed_from(group.failed, ids)
    groups.removed_from(group.canceled, ids)
  end
  redis.call('SADD', prefix .. 'groups', group.name)
  redis.call('SADD', prefix .. 'nrq:groups', group.name)
end

function joins.write()
  for name, ids in pairs(joins.members) do
    joins.joined[#joins.joined + 1] = { groups.keys(name), ids }
    join(unpack(joins.joined[#joins.joined]))
  end
end

function joins.undo()
  for _, one in ipairs(joins.joined) do
    local group, ids = unpack(one)
    groups.removed_from(group.pending, ids)
    local count = groups.removed_from(group.members, ids)
    if count > 0 then redis.pcall('HINCRBY', group.hash, 'known', -count) end
  end
end
