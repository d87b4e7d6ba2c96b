-- Settles all outcomes that come with a call.

--- @include settle

-- executions: lists of the same length: ids, members (of the started registry), kinds, firsts, results
-- begin: called when all is known and nothing is written yet; answers why nothing can be, or nil
-- Answers the refused ones, as list of index (1-based), status, ... and as set of indices.
local function settle_all(queue, worker, executions, begin)
  local refused, is_refused = {}, {}
  local ids, members, kinds = executions.ids, executions.members, executions.kinds
  if #ids == 0 then return refused, is_refused end
  local leases = redis.call('ZMSCORE', queue.started, unpack(members))
  local ending, released = new_ending(), {}
  local execution = { queue = queue, worker = worker, ending = ending, scheduled = {} }
  -- A lease shows that the job is ours and started, unless somebody canceled or deleted it: Python leaves the lease
  -- then. The most frequent outcome sees a deletion by itself, and is spared the look when nothing is canceled.
  local none_canceled = redis.call('EXISTS', queue.canceled) == 0
  local obstacle = begin()
  for index, id in ipairs(ids) do
    local kind = kinds[index]
    local key = job_prefix .. id
    local status = 'started'
    if not leases[index] or kind ~= 'finished' or not none_canceled then
      status = redis.pcall('HGET', key, 'status')
      if is_not_a_job(status) then status = false end
    end
    local why
    if type(status) == 'table' then
      why = 'error ' .. status.err
    elseif obstacle then
      why = 'error ' .. obstacle
    elseif leases[index] and status == 'started' then
      execution.id, execution.key = id, key
      local written, problem = pcall(settle[kind], execution, executions.firsts[index], executions.results[index])
      if not written then
        why = 'error ' .. (type(problem) == 'table' and problem.err or tostring(problem))
      elseif problem then
        why = problem
      end
    else
      why = status or 'missing'
    end
    if why then
      is_refused[index] = true
      refused[#refused + 1] = index
      refused[#refused + 1] = why
    end
    if leases[index] and not (why and string.sub(why, 1, 6) == 'error ') then
      released[#released + 1] = members[index]
    end
  end
  conclude(queue, ending)
  -- A lease that stays ends by itself: the job is not started any more.
  pcall(batched, 'ZREM', queue.started, released)
  wake_for_earliest(queue, execution.scheduled)
  return refused, is_refused
end
