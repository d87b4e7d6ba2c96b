-- What hangs on a job that is over: whoever ends, deletes or drops a job says so here. Nobody else moves a job that
-- waits for another.
--
-- A call tells as many children as its budget allows. The others are kept in a set, which is noted in queue.ended; the next
-- call, of whoever comes by, goes on with them (`go_on`). Until then they are `deferred`, which is true.
--
-- All about the parent is written before. Each child is a change of its own: one that cannot be moved never fails its
-- parent, and the sweep looks at it again.

--- @include let-go
--- @include dependencies
--- @include wake

-- How many children (and parents looked at, a tenth each) in one call; and how many are read at once. Mostly the clock
-- ends a call before.
local MOST_STEPS, PAGE = 500, 100
-- Seconds: what is left over, should nobody ever come by; and how much longer than a job its set is kept.
local KEPT, KEPT_AFTER = 86400, 60
-- RQ's, a year. The same as in lib/job/rq-defaults.ts.
local FAILURE_TTL = '31536000'

local ENDS_FOR_GOOD = { finished = true, deleted = true, gone = true, released = true, delete = true }
local ENDS_AS = {
  failed = 'failed', stopped = 'was stopped', canceled = 'was canceled', deleted = 'was deleted', gone = 'is gone',
}

-- steps: made in this call  open: parents whose children are still to be told, see `open_entry`  touched: queues that
-- were put into  waiting: id -> a child that is known to wait on, see `keep_waiting`
local hung = { steps = 0, open = {}, touched = {}, waiting = {} }

-- Milliseconds for the children of one parent, since others may have to wait for two such calls; and in all. The clock is
-- looked at first after some steps, since few are never left over: should the worker die that was to go on, nobody may come
-- by for ten seconds.
hung.FOR_ONE, hung.IN_ALL = 2.5, 5
-- When it is looked at again, and what it said.
hung.next_look, hung.taken = 50, 0

do
  --- @include clock
  hung.milliseconds_run = milliseconds_run

  -- Whether this call has done enough.
  function hung.is_spent(most)
    if hung.steps >= MOST_STEPS then return true end
    if hung.steps >= hung.next_look then
      hung.next_look, hung.taken = hung.steps + 10, milliseconds_run()
    end
    return hung.taken >= most
  end
end

--- @include groups

--- @include note-level

-- Each field that a hash does not have is looked for to its end: those that a release does not need are read when they are
-- first asked for.
local function read_more(child, name)
  local job = redis.call('HMGET', child.key, 'allow_dependency_failures', 'ttl', 'failure_ttl', 'nrq_canceled_by',
    'created_at', 'nrq_attempts')
  child.allows, child.ttl, child.failure_ttl = job[1] == '1', tonumber(job[2] or '') or false, job[3]
  child.canceled_by, child.created_at, child.attempts = job[4], job[5] or '', tonumber(job[6] or '') or 0
  return rawget(child, name)
end
local child_methods = { __index = read_more }

-- if_failed: false = it is Python's
-- Answers nil when there is no such job. Raises when the key holds something else.
local function child_of(id)
  local key = job_prefix .. id
  local job = redis.call('HMGET', key, 'status', 'origin', 'nrq_if_failed', 'enqueue_at_front', 'nrq_delay', 'nrq_level')
  if not job[1] or not job[2] or job[2] == '' then return nil end
  local child = {
    id = id, key = key, status = job[1], queue = queue_named(job[2]), if_failed = job[3], front = job[4] == '1',
    delay = job[5], level = job[6], handing = false,
  }
  -- RQ's field says the same of ours.
  if job[3] then child.allows = job[3] == 'run' end
  return setmetatable(child, child_methods)
end

-- A child that waits for many, of which several have ended in this call: one look is enough. awaits: a parent that is not
-- over; nothing else releases the child before that is told. handing, met: what is still to be written, see `put_down`
local function keep_waiting(child, awaits)
  child.awaits, child.handing, child.met = awaits, {}, {}
  hung.waiting[child.id] = child
end

local function put_down(child)
  if #child.handing > 0 then redis.pcall('HSET', child.key, unpack(child.handing)) end
  if #child.met > 0 then redis.pcall('SREM', dependencies_key(child.id), unpack(child.met)) end
  hung.waiting[child.id] = nil
end

-- A parent whose children are told. key: its set; result: see `handed.hand_over`
local function open_entry(id, how, result)
  local entry = { id = id, how = how, key = dependents_key(id), result = result }
  hung.open[#hung.open + 1] = entry
  return entry
end

--- @include children
--- @include hand-over
--- @include release-together
--- @include untold

-- Looks at the parents that are left. Answers 'met' | 'wait' | 'cancel', parent, how. The look ends at the first that is
-- pending, unless all shall be looked at: constant cost for each parent that ends, however many there are.
local function look_at_parents(child, looks_at_all)
  local key, cursor, waits = dependencies_key(child.id), '0', false
  if redis.call('SCARD', key) == 0 then return 'met' end
  repeat
    local page = redis.call('SSCAN', key, cursor, 'COUNT', looks_at_all and PAGE or 1)
    for _, parent in ipairs(page[2]) do
      hung.steps = hung.steps + 0.1
      local how = end_of_parent(parent)
      -- It may be gone already although its children are still to be told that it finished.
      if how == 'gone' and redis.call('EXISTS', ending_key(parent), untold.key(parent)) > 0 then how = nil end
      -- It had finished, if its result was handed over.
      if how == 'gone' and redis.call('HEXISTS', child.key, 'nrq_parent:' .. parent) == 1 then how = 'finished' end
      local answer = how and verdict(how, child.if_failed, child.allows) or 'wait'
      if answer == 'cancel' then return answer, parent, how end
      if answer == 'met' then
        if how == 'finished' and child.if_failed then handed.hand_from(parent, child) end
        redis.call('SREM', key, parent)
      else
        waits = true
        if not looks_at_all then return 'wait', parent end
      end
    end
    cursor = page[1]
  until cursor == '0'
  return waits and 'wait' or 'met'
end

-- A child that was canceled because of a parent waits again, as when it was enqueued. Answers false when another parent
-- keeps it canceled.
local function wait_again(child)
  local queue, waits = child.queue, {}
  assure_child(child, 'canceled', { 'ZADD', 'ZREM' })
  assure_right('ZADD', queue.deferred)
  for _, parent in ipairs(parents_of(child.id)) do
    hung.steps = hung.steps + 0.1
    local how = end_of_parent(parent)
    local answer = how and how ~= 'gone' and verdict(how, child.if_failed, child.allows) or not how and 'wait' or 'met'
    if how == 'finished' then handed.hand_from(parent, child) end
    if answer == 'cancel' then
      redis.call('HSET', child.key, 'nrq_canceled_by', parent, 'nrq_reason', reason_of(parent, how))
      redis.pcall('SADD', dependents_key(parent), child.id)
      return false
    end
    if answer == 'wait' then waits[#waits + 1] = parent end
  end
  redis.call('ZADD', queue.deferred, '+inf', child.id)
  redis.call('HSET', child.key, 'status', 'deferred')
  redis.call('HDEL', child.key, 'ended_at', 'nrq_reason', 'nrq_canceled_by')
  redis.call('ZREM', queue.canceled, child.id)
  if child.ttl and child.ttl > 0 then
    redis.pcall('EXPIRE', child.key, string.format('%d', child.ttl))
  else
    redis.pcall('PERSIST', child.key)
  end
  for _, parent in ipairs(waits) do
    redis.pcall('SADD', dependents_key(parent), child.id)
    redis.pcall('SADD', dependencies_key(child.id), parent)
  end
  local reopened = groups.rejoin(child.id)
  if reopened and redis.pcall('EXISTS', dependents_key(reopened)) == 1 then open_entry(reopened, 'again') end
  return true
end

-- Answers whether the child leaves the parent's set.
local function tell_child(entry, id)
  local parent, how = entry.id, entry.how
  local waiting = hung.waiting[id]
  if waiting and how == 'finished' and waiting.awaits ~= parent then
    handed.hand_over(entry, waiting)
    waiting.met[#waiting.met + 1] = parent
    return true
  elseif waiting then
    put_down(waiting)
  end
  local child = child_of(id)
  if not child then return true end
  if child.status == 'canceled' then
    if child.canceled_by ~= parent then
      -- It may wait again one day, and this parent be gone by then.
      if how == 'finished' then handed.hand_over(entry, child) end
      return true
    end
    if how == 'delete' then
      delete_child(child)
      return true
    end
    if how ~= 'again' and how ~= 'finished' and how ~= 'released' then return false end
    if not wait_again(child) then return child.canceled_by ~= parent end
    open_entry(id, 'again')
    if how == 'again' then return false end
  elseif child.status ~= 'deferred' then
    return true
  elseif how == 'again' then
    return false
  elseif how == 'delete' then
    delete_child(child)
    return true
  end
  local answer = verdict(how, child.if_failed, child.allows)
  if answer == 'wait' then return false end
  if answer == 'cancel' then
    cancel_child(child, parent, how)
    return false
  end
  if how == 'finished' then handed.hand_over(entry, child) end
  local by
  redis.call('SREM', dependencies_key(id), parent)
  answer, by, how = look_at_parents(child)
  if answer == 'wait' then
    keep_waiting(child, by)
    return true
  end
  if answer == 'cancel' then
    cancel_child(child, by, how)
    enter_set(child, by, how)
    return true
  end
  release(child, parent)
  return true
end

-- Tells the children of one parent, a page at a time. Answers whether all are told; who is told and leaves the parent's
-- set, and who stays. The set is not changed before the end of the scan: the embedded server of the testing kit would
-- pass over some.
local function tell_children(queue, entry)
  local gone, stay = {}, {}
  -- That of the call before may mean nothing any more, to a Redis that was started again or to a replica: what it passes
  -- over comes with a look at the whole set.
  local cursor, is_whole_set = entry.cursor or '0', (entry.cursor or '0') == '0'
  repeat
    local page = redis.call('SSCAN', entry.key, cursor, 'COUNT', PAGE)
    local ids, left, is_whole = hung.release_together(entry, page[2], gone), {}, true
    for index, id in ipairs(ids) do
      if hung.is_spent(hung.FOR_ONE) and index > 1 then
        is_whole = false
        break
      end
      hung.steps = hung.steps + 1
      local told, leaves = pcall(tell_child, entry, id)
      -- One that is not a job leaves; one that cannot be moved now is tried again.
      local is_left = not told and not is_not_a_job(redis.pcall('HGET', job_prefix .. id, 'status'))
      if is_left then left[#left + 1] = id end
      local list = (is_left or told and not leaves and not entry.is_again) and stay or gone
      list[#list + 1] = id
    end
    if #left > 0 and not entry.is_again then untold.note_some(queue, entry, left) end
    if is_whole then
      cursor = page[1]
      entry.cursor = cursor
      if cursor == '0' then return is_whole_set, gone, stay end
    end
  until hung.is_spent(hung.FOR_ONE)
  return false, gone, stay
end

-- All children are told. The set of one that may be requeued is kept with what was canceled because of it or waits on.
local function close_entry(entry, gone, stay)
  local own = dependents_key(entry.id)
  if ENDS_FOR_GOOD[entry.how] then
    redis.pcall('DEL', entry.key)
    return
  elseif entry.key == own then
    batched('SREM', own, gone)
  else
    batched('SADD', own, stay)
    redis.pcall('DEL', entry.key)
  end
  if entry.how == 'again' then redis.pcall('PERSIST', own) else keep_set(entry.id) end
end

-- Notes what is left over: a set of its own with those that are still to be told. Answers whether there are any.
local function note_left(queue, entry, gone, stay)
  local own = dependents_key(entry.id)
  if entry.key == own then
    local ending = ending_key(entry.id)
    if redis.pcall('EXISTS', ending) ~= 0 then ending = ending .. ':' .. string.format('%.0f', now * 1000) end
    redis.pcall('RENAME', own, ending)
    -- What could not be renamed is the sweep's.
    if redis.pcall('EXISTS', ending) ~= 1 then return true end
    entry.key = ending
    redis.pcall('EXPIRE', ending, KEPT)
  end
  pcall(batched, 'SREM', entry.key, gone)
  pcall(batched, 'SREM', entry.key, stay)
  if not ENDS_FOR_GOOD[entry.how] and #stay > 0 then
    pcall(batched, 'SADD', own, stay)
    keep_set(entry.id)
  end
  if redis.pcall('EXISTS', entry.key) == 0 then
    if entry.how == 'again' then redis.pcall('PERSIST', own) end
    return false
  end
  redis.pcall('HSET', queue.ended, entry.key, untold.pack(entry, entry.cursor))
  redis.pcall('EXPIRE', queue.ended, KEPT)
  return true
end

-- A note of what was left of an earlier end, or of a requeue, does not hold any more. Python's set may have been written
-- to since.
local function forget_left(queue, id)
  redis.pcall('HDEL', queue.ended, dependents_key(id))
end

-- Groups of which the last job has ended: those who wait for them are to be told.
function groups.open_emptied(queue)
  while emptied do
    local names = emptied
    emptied = nil
    for _, name in ipairs(names) do
      local group, is_known, how = '@' .. name, pcall(groups.end_of, name)
      -- What raises is left to the sweep.
      if not is_known then how = nil end
      if how then redis.pcall('PUBLISH', ARGV.channels .. 'group:' .. name, 'over') end
      if how and redis.pcall('EXISTS', dependents_key(group)) == 1 then
        forget_left(queue, group)
        open_entry(group, how)
      end
    end
  end
end

-- Works on what is open, and what comes of it, until all is told or the budget is spent. goes_on: there is more to come,
-- for the same children perhaps
local function tell_open(queue, goes_on)
  groups.open_emptied(queue)
  local at = 1
  while hung.open[at] do
    local entry = hung.open[at]
    local told = not hung.is_spent(hung.IN_ALL)
    if not entry.is_begun then
      entry.is_begun = true
      local count = entry.count or redis.pcall('SCARD', entry.key)
      if is_not_a_job(count) then
        -- It holds something else.
        if ENDS_FOR_GOOD[entry.how] then redis.pcall('DEL', entry.key) end
        count = 0
      elseif type(count) ~= 'number' then
        -- That is not known: too many for a long result.
        count = MOST_HANDED_IN_ALL
      end
      if entry.result and entry.hands_over == nil then handed.decide(entry, count) end
      if count == 0 then entry.is_empty = true end
    end
    if not entry.is_empty then
      local worked, all, gone, stay = true, false, {}, {}
      if told then worked, all, gone, stay = pcall(tell_children, queue, entry) end
      if not worked then
        untold.note_all(queue, entry)
      elseif all then
        pcall(close_entry, entry, gone, stay)
      elseif note_left(queue, entry, gone, stay) then
        hung.is_left = true
      else
        all = true
      end
      if entry.noted_as and (not worked or all or entry.noted_as ~= entry.key) then
        redis.pcall('HDEL', queue.ended, entry.noted_as)
      end
    elseif entry.noted_as then
      redis.pcall('HDEL', queue.ended, entry.noted_as)
    end
    at = at + 1
    groups.open_emptied(queue)
  end
  hung.open = {}
  if goes_on then return end
  for _, child in pairs(hung.waiting) do put_down(child) end
  for touched, added in pairs(hung.touched) do wake_for_earliest(touched, added) end
  hung.touched = {}
end

-- The children of a parent that has finished all wait on for others, as it is known: no more is to be done than to note it.
-- Answers whether it is so.
local function tell_waiting(parent, result, children)
  for _, id in ipairs(children) do
    local waiting = hung.waiting[id]
    if not waiting or not waiting.if_failed or waiting.awaits == parent then return false end
  end
  local entry = { id = parent, result = result }
  if result then handed.decide(entry, #children) end
  for _, id in ipairs(children) do
    local waiting = hung.waiting[id]
    hung.steps = hung.steps + 0.2
    handed.hand_over(entry, waiting)
    waiting.met[#waiting.met + 1] = parent
  end
  return true
end

-- Jobs are over. ids: their ids; how: 'finished' | 'failed' | 'stopped' | 'canceled' | 'deleted' | 'gone' | 'released' =
-- their children shall not wait for them | 'delete' = their children are deleted, too; results: id -> see `handed.hand_over`
-- known: the keys of the sets of those who wait for them, should they be known
local function ended_all(queue, ids, how, results, known)
  local keys, told = known or {}, {}
  if not known then
    for index, id in ipairs(ids) do keys[index] = dependents_key(id) end
  end
  -- Of those that have finished, somebody has looked.
  if how ~= 'finished' and (#keys == 0 or redis.pcall('EXISTS', unpack(keys)) == 0) then ids = {} end
  for index, id in ipairs(ids) do
    local key = keys[index]
    local page = redis.pcall('SSCAN', key, '0', 'COUNT', '100')
    local is_whole = not page.err and page[1] == '0'
    if is_whole and #page[2] > 0 and how == 'finished' and tell_waiting(id, results and results[id], page[2]) then
      told[#told + 1] = key
    elseif not is_whole or #page[2] > 0 then
      pcall(batched, 'DEL', nil, told)
      told = {}
      local entry = open_entry(id, how, results and results[id])
      entry.count = is_whole and #page[2] or nil
      tell_open(queue, true)
    end
  end
  pcall(batched, 'DEL', nil, told)
  tell_open(queue)
end

-- A job that had ended waits or runs again: those that were canceled because of it wait for it again.
local function pending_again(queue, id)
  if redis.pcall('EXISTS', dependents_key(id)) == 0 then return end
  open_entry(id, 'again')
  tell_open(queue)
end
