-- What becomes of a job that waits for others: it is released, canceled or deleted. A part of ended.lua.

-- Raises, before anything is written, when a place of the child holds something else or may not be written to. Looked at
-- once in a call: we change none of that.
local function assure_child(child, registry, commands)
  if child.queue.assured[registry] then return end
  -- The way into the queue depends on it, and asking may be refused.
  child.queue.is_plain = child.queue.is_plain
  redis.call('ZCARD', child.queue.deferred)
  if registry == 'list' then redis.call('LLEN', child.queue.list) else redis.call('ZCARD', child.queue[registry]) end
  for _, command in ipairs(commands) do assure_right(command, child.queue[registry]) end
  assure_right('ZREM', child.queue.deferred)
  for _, command in ipairs({ 'HSET', 'HDEL', 'DEL', 'SREM', 'HMGET' }) do assure_right(command, job_prefix) end
  child.queue.assured[registry] = true
end

local function is_heard(queue)
  queue.is_heard = queue.is_heard or { is_listened(queue) }
  return queue.is_heard[1]
end

-- All that it waited for is over. The registry says whether it waits: Python may write any status.
local function release(child, parent)
  local queue, due = child.queue, nil
  if child.delay then
    local word, milliseconds = string.match(child.delay, '^(%l+):(%d+%.?%d*)$')
    if word then due = word == 'in' and now + tonumber(milliseconds) or tonumber(milliseconds) end
    if due and due <= now then due = nil end
  end
  if due then
    assure_child(child, 'scheduled', { 'ZADD' })
  else
    assure_child(child, 'list', { 'LPUSH', 'RPUSH' })
  end
  local parents = parents_of(child.id)
  if redis.call('ZREM', queue.deferred, child.id) == 0 then return end
  if due then
    redis.call('ZADD', queue.scheduled, score(due), child.id)
    redis.call('HSET', child.key, 'status', 'scheduled')
    if child.ttl then redis.pcall('PEXPIRE', child.key, math.ceil(due - now) + child.ttl * 1000) end
    local added = hung.touched[queue] or {}
    hung.touched[queue] = added
    added[child.id] = true
  else
    note_level(queue, child.id, child.level)
    queue_up(queue, child.id, child.front)
  end
  leave_sets(child.id, parents, parent)
end

-- The set of a job that may be requeued is kept a little longer than the job.
local function keep_set(id)
  local left = redis.pcall('TTL', job_prefix .. id)
  if type(left) == 'number' and left >= 0 then
    redis.pcall('EXPIRE', dependents_key(id), left + KEPT_AFTER)
  else
    redis.pcall('PERSIST', dependents_key(id))
  end
end

local function reason_of(parent, how)
  local name = groups.named_by(parent)
  if name then return 'jobs of group ' .. name .. ', which it waited for, failed or were canceled' end
  return 'job ' .. parent .. ', which it waited for, ' .. ENDS_AS[how]
end

-- It never runs, since a parent has not succeeded. It stays in that parent's set: a requeue of the parent finds it there.
local function cancel_child(child, parent, how)
  local queue = child.queue
  assure_child(child, 'canceled', { 'ZADD', 'ZREM' })
  local parents = parents_of(child.id)
  if not redis.call('ZSCORE', queue.deferred, child.id) then return end
  local reason = reason_of(parent, how)
  local ttl = ttl_of(child.failure_ttl, FAILURE_TTL)
  local ending = {}
  finish(queue, ending, child.id, 'canceled', ttl, 'text', reason, 'nrq_reason', reason, 'nrq_canceled_by', parent)
  let_go(child.id, 'canceled', ttl == '0')
  redis.call('ZREM', queue.deferred, child.id)
  leave_sets(child.id, parents, parent)
  redis.pcall('DEL', dependencies_key(child.id))
  if is_heard(queue) then
    redis.pcall('PUBLISH', queue.events,
      event_text('canceled', child.id, child.attempts, ',"reason":' .. cjson.encode(reason)))
  end
  conclude(queue, ending)
  open_entry(child.id, ttl == '0' and 'deleted' or 'canceled')
end

-- For one that its parent does not know: it is found there by a requeue.
local function enter_set(child, parent, how)
  if ENDS_FOR_GOOD[how] then return end
  redis.pcall('SADD', dependents_key(parent), child.id)
  keep_set(parent)
end

-- Deletes a child that waits, or was canceled because of the parent, with all that waits for it.
local function delete_child(child)
  for _, registry in ipairs({ 'deferred', 'canceled' }) do redis.call('ZREM', child.queue[registry], child.id) end
  leave_sets(child.id, parents_of(child.id))
  let_go(child.id, 'deleted', true)
  if is_heard(child.queue) and child.status == 'deferred' then
    redis.pcall('PUBLISH', child.queue.events,
      event_text('canceled', child.id, child.attempts, ',"reason":"deleted before it ran"'))
  end
  local keys = {}
  add_keys_of(child.id, keys)
  redis.call('DEL', unpack(keys))
  announce(child.queue, child.id, 'canceled', 'text', 'deleted')
  open_entry(child.id, 'delete')
end
