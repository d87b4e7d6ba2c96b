-- New jobs that wait for others: made for calls that have any. A parent is looked at once in a call, however many
-- children it has; their entries in its set and in the registry are written together.
--
-- A child of a parent that has failed for good is stored as one that waits, and then told of that end as if it had
-- happened now: what becomes of it must not depend on who was quicker.

--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include ended

-- How long it is told that somebody waits for jobs of a queue: longer than any list of queues is used that workers have
-- (see lib/store/dependencies.ts).
local HUNG_SECONDS = 120

-- looked: parent -> how it has ended, false = it has not  children: parent -> ids that enter its set
-- over: parent -> its queue's name, of those that have failed
local waits = { looked = {}, origins = {}, children = {}, deferred = {}, over = {}, ids = {} }

-- place: 'after IF_FAILED PLACE PARENT,PARENT,...' or 'after IF_FAILED PLACE @GROUP', see enqueue.lua
function waits.look(place)
  local if_failed, rest, list = string.match(place, '^after (%l+) (%S+) (.*)$')
  local child = { if_failed = if_failed, place = rest, parents = {}, pending = {}, finished = {} }
  child.group = groups.named_by(list)
  for parent in string.gmatch(list, child.group and '.+' or '[^,]+') do
    child.parents[#child.parents + 1] = parent
    local how = waits.looked[parent]
    if how == nil then
      local origin
      -- Jobs of the group that come with this call are not stored yet, or stand behind.
      local is_joined = child.group and joining and joining.members[child.group]
      if not is_joined then how, origin = end_of_parent(parent) end
      how = how or false
      waits.looked[parent], waits.origins[parent] = how, origin
    end
    -- What is missing has finished long ago, by RQ's rule: results expire.
    if not how or how ~= 'gone' and verdict(how, if_failed, false) ~= 'met' then
      child.pending[#child.pending + 1] = parent
    elseif how == 'finished' and not child.group then
      child.finished[#child.finished + 1] = parent
    end
  end
  return child
end

-- Writes what is special about such a job, whose hash is there. Answers whether it waits.
function waits.enter(queue, id, child, ttl)
  local key = job_prefix .. id
  if child.group then
    -- Python would take its name for a job that is missing, and so for one that is over.
    redis.call('HSET', key, 'nrq_after_group', child.group, 'nrq_if_failed', child.if_failed)
    redis.call('SADD', prefix .. 'nrq:groups', child.group)
  else
    redis.call('HSET', key, 'dependency_ids', cjson.encode(child.parents), 'dependency_id', child.parents[1],
      'allow_dependency_failures', child.if_failed == 'run' and '1' or '0', 'nrq_if_failed', child.if_failed)
  end
  for _, parent in ipairs(child.finished) do
    local result = handed.bytes <= MOST_HANDED_IN_ALL and handed.result_of(parent)
    if result then
      redis.call('HSET', key, 'nrq_parent:' .. parent, result)
      handed.bytes = handed.bytes + #result
    end
  end
  if #child.pending == 0 then return false end
  local place, front = string.match(child.place, '^(%l+:[^:]+):?(%l*)$')
  if place then redis.call('HSET', key, 'nrq_delay', place) end
  if child.place == 'front' or front == 'front' then redis.call('HSET', key, 'enqueue_at_front', '1') end
  redis.call('SADD', dependencies_key(id), unpack(child.pending))
  if ttl ~= '' then
    redis.call('EXPIRE', key, ttl)
    redis.call('EXPIRE', dependencies_key(id), tonumber(ttl) + KEPT_AFTER)
  end
  for _, parent in ipairs(child.pending) do
    local children = waits.children[parent] or {}
    waits.children[parent] = children
    children[#children + 1] = id
    if waits.looked[parent] then waits.over[parent] = waits.looked[parent] end
  end
  local entries = waits.deferred[queue] or {}
  waits.deferred[queue] = entries
  entries[#entries + 1] = '+inf'
  entries[#entries + 1] = id
  waits.ids[#waits.ids + 1] = id
  return true
end

function waits.write()
  for queue, entries in pairs(waits.deferred) do batched('ZADD', queue.deferred, entries) end
  for parent, children in pairs(waits.children) do
    batched('SADD', dependents_key(parent), children)
    local origin = waits.origins[parent]
    -- Whoever settles jobs there may not know of the child's queue yet.
    if origin then redis.call('SET', queue_named(origin).hung, '1', 'EX', HUNG_SECONDS) end
  end
end

function waits.undo()
  for _, id in ipairs(waits.ids) do redis.pcall('DEL', dependencies_key(id)) end
  for queue in pairs(waits.deferred) do
    for _, id in ipairs(waits.ids) do redis.pcall('ZREM', queue.deferred, id) end
  end
  for parent, children in pairs(waits.children) do
    for _, id in ipairs(children) do redis.pcall('SREM', dependents_key(parent), id) end
  end
end

-- Children of parents that have failed are told. Answers the names of the queues of parents of which some are left: the
-- caller goes on, and an idle worker does if the caller cannot.
function waits.tell()
  local left, is_known = {}, {}
  for parent, how in pairs(waits.over) do
    local queue = queue_named(waits.origins[parent] or queues[1].name)
    hung.is_left = false
    open_entry(parent, how)
    pcall(tell_open, queue)
    if hung.is_left and not is_known[queue.name] then
      is_known[queue.name] = true
      left[#left + 1] = queue.name
    end
  end
  for _, name in ipairs(left) do redis.pcall('PUBLISH', queue_named(name).wake, 'left') end
  return left
end
