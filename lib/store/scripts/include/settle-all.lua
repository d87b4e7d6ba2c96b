-- Settles all outcomes that come with a call.

--- @include settle

-- The registry for an outcome that ends a job; nil: it does not end it.
local function registry_of(kind)
  if kind == 'finished' or kind == 'failed' or kind == 'canceled' then return kind end
  if kind == 'stopped' then return 'failed' end
end

-- executions: lists of the same length: ids, members (of the started registry), kinds, firsts, results;
-- and absent, the members each behind NO_LEASE
-- signs: keys of which one is there when any job may wait for others: a mark, and one for each queue that the worker
-- knows; nil: look at the jobs that end
-- has_records: RQ's records of executions are kept
-- notes, place, number: of the note (see settle-once.lua) that is made when all is known and nothing is written yet
-- Answers the refused ones, as list of index (1-based), status, ... and as set of indices.
local function settle_all(queue, worker, executions, signs, has_records, notes, place, number)
  local refused, is_refused = {}, {}
  local ids, members, kinds, firsts = executions.ids, executions.members, executions.kinds, executions.firsts
  if #ids == 0 then return refused, is_refused end
  local ending = {}
  local execution = { queue = queue, worker = worker, ending = ending }
  local others, of_groups
  -- The lease is the fence. Python may write any status at any moment (`job.save()` of a copy that it read earlier):
  -- while the lease is held, only a cancel, which shows in the registry, and a deletion refuse an outcome.
  local hung_on = signs
  if not hung_on then
    hung_on = {}
    for index, id in ipairs(ids) do hung_on[index] = job_prefix .. id .. ':dependents' end
  end
  -- One look, in place of three: mostly no job is canceled, and nobody waits for a result or for one of these jobs.
  local is_quiet = redis.pcall('EXISTS', queue.canceled, queue.watched, unpack(hung_on)) == 0
  if is_quiet then ending.is_watched = false end
  local canceled = not is_quiet and redis.call('ZCARD', queue.canceled) > 0
    and redis.call('ZMSCORE', queue.canceled, unpack(ids))
  -- Of plain jobs, most of which nobody waits for. Python may have stored one that waits in a queue that is newer than
  -- the signs: all queues are one key more than these.
  local may_hang = not is_quiet and (not signs or redis.call('EXISTS', unpack(signs)) > 0)
    or signs and redis.pcall('SCARD', prefix .. 'queues') ~= #signs - 1
  local over, results
  -- A lease that stayed would let its job be taken for one of a worker that died.
  assure_right('ZREM', queue.started)
  -- Nothing when all leases are there, as they mostly are: adding those that are not tells it three times as fast.
  local leases
  local added = redis.pcall('ZADD', queue.started, 'NX', unpack(executions.absent))
  if added ~= 0 then
    --- @include leases
    leases = leases_of(queue, members, added)
  end
  local noted = redis.pcall('HSET', notes, place, number)
  local obstacle = type(noted) == 'table' and noted.err
  if not obstacle and ARGV.calls_kept ~= '' then redis.pcall('EXPIRE', notes, ARGV.calls_kept) end
  -- The registries of their ends are written first: what is refused there has not been changed.
  local entered, obstacles = {}, {}
  if not obstacle then
    for index, id in ipairs(ids) do
      local kind, ttl = kinds[index], ARGV[firsts[index] + FINISHED.ttl]
      local registry = registry_of(kind)
      if registry and ttl ~= '0' and (not leases or leases[index]) and not (canceled and canceled[index]) then
        enter(ending, id, kind, ttl)
        entered[index] = registry
      end
    end
    obstacles = write_registries(queue, ending)
    ending.is_entered = true
  end
  -- Those that keep their lease, or have none to release.
  local held
  for index, id in ipairs(ids) do
    local kind = kinds[index]
    local key = job_prefix .. id
    local hindered = obstacle or obstacles[entered[index]]
    local why
    if hindered then
      why = 'error ' .. hindered
    elseif leases and not leases[index] then
      local status = redis.pcall('HGET', key, 'status')
      if is_not_a_job(status) then status = false end
      why = type(status) == 'table' and 'error ' .. status.err or status or 'missing'
    elseif canceled and canceled[index] then
      why = 'canceled'
    else
      -- The most frequent outcome sees a deletion by itself.
      local has_data = kind == 'finished' and 1 or redis.pcall('HEXISTS', key, 'data')
      if has_data == 0 or is_not_a_job(has_data) then
        why = 'missing'
      elseif type(has_data) == 'table' then
        why = 'error ' .. has_data.err
      end
    end
    if not why then
      execution.id, execution.key, execution.member = id, key, members[index]
      local first = firsts[index]
      local settle = settle_finished
      if kind == 'finished' and ARGV[first + FINISHED.place] == 'hash of member' then
        of_groups = of_groups or {}
        of_groups[#of_groups + 1] = index
      elseif kind ~= 'finished' or ARGV[first + FINISHED.place] ~= 'hash' then
        others = others or other_outcomes()
        settle = others[kind]
      end
      local written, problem = pcall(settle, execution, first, executions.results[index])
      if not written then
        --- @include error-text
        why = 'error ' .. error_text(problem)
      elseif problem then
        why = problem
      elseif (may_hang or settle ~= settle_finished) and (registry_of(kind) or kind == 'repeating') then
        -- Of one that has not succeeded and is not kept, nothing more can come. Who waits for a job that repeats, waits
        -- for its first round.
        local has_succeeded = kind == 'finished' or kind == 'repeating'
        local how = has_succeeded and 'finished' or ARGV[first + FINISHED.ttl] == '0' and 'deleted' or kind
        if not over then over, results = {}, {} end
        over[how] = over[how] or {}
        over[how][#over[how] + 1] = id
        if has_succeeded then
          local text = executions.results[index] or ARGV[first + FINISHED.result]
          results[id] = text == '' and 'null' or ARGV[first + FINISHED.place] == 'stream' and 'base64:' .. text or text
        end
      end
    end
    if why then
      if entered[index] then redis.pcall('ZREM', queue[entered[index]], id) end
      is_refused[index] = true
      refused[#refused + 1] = index
      refused[#refused + 1] = why
    end
    if leases and not leases[index] or why and string.sub(why, 1, 6) == 'error ' then
      held = held or {}
      held[index] = true
    end
  end
  local released = members
  if held then
    released = {}
    for index, member in ipairs(members) do
      if not held[index] then released[#released + 1] = member end
    end
  end
  if has_records then
    --- @include executions
    for _, member in ipairs(released) do end_execution(string.match(member, '^(.*):(.*)$')) end
  end
  if of_groups then
    --- @include leave-group
    local kept, deleted = {}, {}
    for _, index in ipairs(of_groups) do
      local list = ARGV[firsts[index] + FINISHED.ttl] == '0' and deleted or kept
      if not is_refused[index] then list[#list + 1] = ids[index] end
    end
    groups.leave_as_finished(kept, false)
    groups.leave_as_finished(deleted, true)
  end
  conclude(queue, ending)
  batched('ZREM', queue.started, released)
  for how, gone in pairs(over or {}) do ended(gone, how, results) end
  if emptied then ended({}) end
  if execution.retrying then redis.pcall('ZREMRANGEBYSCORE', queue.retrying, '-inf', score(now)) end
  if execution.scheduled then
    --- @include wake
    wake_for_earliest(queue, execution.scheduled)
  end
  return refused, is_refused
end
