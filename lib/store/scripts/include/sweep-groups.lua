-- Groups: members that Python has run, canceled, requeued, deleted or added, and those that have expired. They are no
-- queue's, so one worker of all takes a turn each ten seconds: so many groups that all are seen within a minute.

-- Groups of a turn at least; how many are read at once; seconds for which the counts of one without jobs are kept.
local GROUPS_OF_TURN, GROUPS_AT_ONCE, COUNTS_KEPT = 100, 10, 86400

-- Ends when one is found that is pending indeed: then the group is not over. Goes on from there the next time.
function groups.look_at_pending(group)
  local cursor, rounds, waits = redis.call('HGET', group.hash, 'pending_at') or '0', 0, false
  repeat
    local page = redis.call('SSCAN', group.pending, cursor, 'COUNT', 10)
    for _, id in ipairs(page[2]) do
      local how = groups.end_of_member(id)
      if how then
        groups.leave(group.name, { id }, how == 'gone' and 'deleted' or how, how == 'gone')
      else
        waits = true
      end
    end
    cursor = page[1]
    if cursor == '0' then rounds = rounds + 1 end
  until waits or rounds == 2 or hung.steps >= MOST_STEPS
  redis.call('HSET', group.hash, 'pending_at', cursor)
  return waits or rounds == 2
end

-- A page of those that failed or were canceled: Python may have requeued them.
function groups.look_at_failed(group)
  for _, place in ipairs({ 'failed', 'canceled' }) do
    local cursor = redis.call('HGET', group.hash, place .. '_at') or '0'
    local page = redis.call('SSCAN', group[place], cursor, 'COUNT', groups.PAGE)
    for _, id in ipairs(page[2]) do
      local how = groups.end_of_member(id)
      if how == 'gone' then
        redis.call('HSETNX', group.hash, 'gone', id)
      elseif how == 'finished' then
        redis.call('SREM', group[place], id)
        redis.call('HINCRBY', group.hash, 'finished', 1)
      elseif not how then
        local parent = groups.rejoin(id)
        if parent and redis.call('EXISTS', dependents_key(parent)) == 1 then open_entry(parent, 'again') end
      end
    end
    if page[1] ~= '0' or cursor ~= '0' then redis.call('HSET', group.hash, place .. '_at', page[1]) end
  end
end

-- No job of it is left.
function groups.forget(group)
  for _, key in ipairs({ group.hash, group.failed, group.canceled }) do redis.call('EXPIRE', key, COUNTS_KEPT) end
  redis.pcall('SREM', prefix .. 'groups', group.name)
  redis.call('SREM', prefix .. 'nrq:groups', group.name)
end

-- Answers whether it has been seen as far as it should: there may be too much for one call.
function groups.sweep(name)
  local group, parent = groups.keys(name), '@' .. name
  if redis.call('EXISTS', group.pending) == 1 and not groups.look_at_pending(group) then return false end
  local is_known = groups.take_in(group, 1)
  if redis.call('EXISTS', group.failed, group.canceled) > 0 then groups.look_at_failed(group) end
  if not is_known then return false end
  if redis.call('EXISTS', group.pending) == 1 then return true end
  local is_waited_for = redis.call('EXISTS', dependents_key(parent)) == 1
  if redis.call('EXISTS', group.members) == 1 then
    if is_waited_for then
      emptied = emptied or {}
      emptied[#emptied + 1] = name
    end
  elseif is_waited_for then
    local has_failed = redis.call('EXISTS', group.failed, group.canceled) > 0
    open_entry(parent, has_failed and 'deleted' or 'finished')
  else
    groups.forget(group)
  end
  return true
end

-- Answers whether the turn is to go on in another call.
local function sweep_groups(queue)
  local all, state = prefix .. 'nrq:groups', prefix .. 'nrq:group-sweep'
  if looked_at(redis.pcall('EXISTS', all)) ~= 1 then return false end
  if redis.call('SET', prefix .. 'nrq:group-swept', '1', 'NX', 'PX', TURN) then
    local count = redis.call('SCARD', all)
    redis.call('HSET', state, 'left', string.format('%d', math.max(GROUPS_OF_TURN, math.ceil(count / TURNS))))
    redis.call('EXPIRE', state, 86400)
  end
  local noted = redis.call('HMGET', state, 'left', 'cursor', 'seen')
  local left, cursor, seen = tonumber(noted[1] or '0'), noted[2] or '0', tonumber(noted[3] or '0')
  while left > 0 and hung.steps < MOST_STEPS do
    local page = redis.call('SSCAN', all, cursor, 'COUNT', GROUPS_AT_ONCE)
    -- A page that is cut short is read again, and gone on with.
    local cut
    for at = seen + 1, #page[2] do
      hung.steps = hung.steps + 1
      local looked, is_seen = pcall(groups.sweep, page[2][at])
      tell_open(queue)
      if looked and not is_seen or hung.steps >= MOST_STEPS then
        cut = is_seen and at or at - 1
        break
      end
      left = left - 1
    end
    if cut then
      seen = cut
    else
      seen, cursor = 0, page[1]
      if cursor == '0' then left = 0 end
    end
  end
  redis.call('HSET', state, 'left', string.format('%d', math.max(0, left)), 'cursor', cursor, 'seen', seen)
  return left > 0
end
