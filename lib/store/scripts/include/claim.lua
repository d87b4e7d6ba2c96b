-- Claims jobs: each becomes `started` and a member of the started registry until its lease ends. Nothing leaves the
-- list before everything about it is written.

local CLAIM_FIELDS = CLAIM_FIELD_NAMES
local FURTHER_FIELDS = FURTHER_FIELD_NAMES
-- An answer of many long jobs would hold up everybody: the rest goes with the next one. Redis sends 64 KB at once, and
-- what is left of an answer only after the next call, which the worker shall have time to use: so it must not be longer.
local LARGE_ANSWER = 49152
-- Longer data travel by themselves: packing would copy them once more.
local LONG_DATA = 2048

-- claims: what the worker asked for, and what has come of it so far (see exchange.lua).
-- Answers false when Redis refuses to write.
local function claim(queue, claims, id)
  local key = job_prefix .. id
  local values = redis.pcall('HMGET', key, unpack(CLAIM_FIELDS))
  local reason
  if values.err then
    reason = 'not a job'
  elseif not values[CLAIM.data] then
    reason = 'missing'
  elseif values[CLAIM.status] and values[CLAIM.status] ~= 'queued' then
    reason = values[CLAIM.status]
  end
  if reason then
    local dropped = claims.dropped
    dropped[#dropped + 1] = id
    dropped[#dropped + 1] = reason
    return true
  end
  local further
  local given = values[CLAIM.nrq_given]
  if values[CLAIM.nrq_attempts] or values[CLAIM.success_callback_name] or (given and string.find(given, 'x', 1, true)) then
    further = redis.call('HMGET', key, unpack(FURTHER_FIELDS))
  end
  local crashes = further and crashes_of(further[FURTHER.nrq_crashes], further[FURTHER.enqueued_at]) or 0
  local is_suspect = crashes >= claims.suspect_crashes
  if is_suspect and claims.has_suspect then
    -- The worker has another: side by side, both would be taken for poison.
    redis.call('ZADD', queue.scheduled, score(now + claims.suspect_delay), id)
    redis.call('HSET', key, 'status', 'scheduled')
    if claims.next_due == '' or tonumber(claims.next_due) > claims.suspect_delay then
      claims.next_due = tostring(claims.suspect_delay)
    end
    return true
  end
  local written = redis.pcall('HSET', key, 'status', 'started', 'started_at', now_text, 'worker_name', claims.worker)
  if type(written) == 'table' then
    claims.failure = written.err
    return false
  end
  claims.has_suspect = claims.has_suspect or is_suspect
  local data = values[CLAIM.data]
  claims.bytes = claims.bytes + #data
  -- Known, so it need not travel.
  values[CLAIM.status] = false
  if #data > LONG_DATA then
    claims.long[#claims.long + 1] = data
    values[CLAIM.data] = true
  end
  values[CLAIM_FIELD_COUNT + 1] = id
  if further then
    -- A time limit for waiting, or the one of an earlier end, does not hold while the job runs.
    if further[FURTHER.ttl] or further[FURTHER.ended_at] then redis.call('PERSIST', key) end
    if further[FURTHER.ended_at] then
      -- Python enqueues a job that has ended without taking it out of there.
      redis.call('HDEL', key, 'ended_at', 'result', 'exc_info')
      for _, registry in ipairs({ 'finished', 'failed', 'canceled' }) do redis.pcall('ZREM', queue[registry], id) end
    end
    further[FURTHER.nrq_crashes] = crashes > 0 and tostring(crashes)
    for index = 1, #FURTHER_FIELDS do values[CLAIM_FIELD_COUNT + 1 + index] = further[index] end
  end
  claims.jobs[#claims.jobs + 1] = values
  local leases = claims.leases
  leases[#leases + 1] = claims.lease_end
  local member = id .. ':' .. claims.token .. string.format('%016x', claims.number)
  leases[#leases + 1] = member
  if claims.execution_ttl ~= '' then
    begin_execution(id, string.sub(member, #id + 2), claims.worker, claims.execution_ttl)
  end
  claims.number = claims.number + 1
  return true
end

-- woken: ids that a blocking read of this worker has moved to the intermediate list. They come first; those for which
-- there is no room go back.
local function claim_woken(queue, claims, woken)
  for index = #woken, 1, -1 do
    -- Somebody may have put it back already, taking us for dead.
    if not redis.call('LPOS', queue.intermediate, woken[index]) then table.remove(woken, index) end
  end
  local unclaimed = {}
  for _, id in ipairs(woken) do
    if #claims.jobs >= claims.want or not claim(queue, claims, id) then unclaimed[#unclaimed + 1] = id end
  end
  push(queue, unclaimed, true)
  for _, id in ipairs(woken) do redis.call('LREM', queue.intermediate, 1, id) end
end

-- Ids that are not jobs, or must not run, are taken out and do not hold up those behind them.
local MOST_LOOKED_AT = 2000

local function claim_from_list(queue, claims)
  local looked_at = 0
  while #claims.jobs < claims.want and claims.failure == '' and claims.state == '' do
    local wanted = claims.want - #claims.jobs
    local ids = redis.pcall('LRANGE', queue.list, 0, wanted - 1)
    if ids.err then
      claims.failure = ids.err
      return
    end
    local taken = 0
    for _, id in ipairs(ids) do
      if not claim(queue, claims, id) then break end
      taken = taken + 1
      if claims.bytes > LARGE_ANSWER then
        claims.state = 'more'
        break
      end
    end
    batched('ZADD', queue.started, claims.leases)
    claims.leases = {}
    if taken > 0 then redis.call('LTRIM', queue.list, taken, -1) end
    looked_at = looked_at + taken
    if #ids < wanted then return end
    if looked_at >= MOST_LOOKED_AT and #claims.jobs < claims.want then claims.state = 'more' end
  end
end
