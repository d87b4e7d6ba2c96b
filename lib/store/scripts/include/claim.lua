-- Claims jobs: each becomes `started` and a member of the started registry until its lease ends. Nothing leaves the
-- list before everything about it is written.

-- Bytes of an answer; the jobs that are left go with the next one. Redis sends 64 KB of an answer at once, and the rest only
-- after it has served somebody else. So answers stay below that. A batch goes to one handler, and comes whole.
local LARGE_ANSWER, LARGE_BATCH = 49152, 2097152
-- Bytes. Longer data travel apart from the other fields: packing would copy them once more.
local LONG_DATA = 2048

-- Looks at a job that may be claimed: its fields, or nothing when it must not run or cannot be read now.
-- claims: what the worker asked for, and what has come of it so far (see exchange.lua).
local function look_at(queue, claims, id)
  local key = job_prefix .. id
  -- Jobs are mostly like the one before them: of those with more to read, all is read at once.
  local reads_further = claims.reads_further
  local values
  if reads_further then
    values = redis.pcall('HMGET', key, CLAIM_FIELD_NAMES, 'status', FURTHER_FIELD_NAMES)
  else
    values = redis.pcall('HMGET', key, CLAIM_FIELD_NAMES)
  end
  local reason
  if is_not_a_job(values) then
    reason = 'not a job'
  elseif values.err then
    claims.failure = values.err
    return nil
  elseif not values[CLAIM.data] then
    reason = 'missing'
  elseif values[CLAIM.status] and values[CLAIM.status] ~= 'queued' then
    reason = values[CLAIM.status]
  end
  if reason then
    local dropped = claims.dropped
    dropped[#dropped + 1] = id
    dropped[#dropped + 1] = reason
    if reason == 'missing' then
      claims.missing = claims.missing or {}
      claims.missing[#claims.missing + 1] = id
    end
    return nil
  end
  values[CLAIM_FIELD_COUNT + 1] = id
  local given = values[CLAIM.nrq_given]
  local has_rare = values[CLAIM.success_callback_name] or (given and string.find(given, '[cdpw]'))
  local has_further = has_rare or values[CLAIM.nrq_attempts] or (given and string.find(given, 'x', 1, true))
  if not has_further ~= not reads_further then claims.reads_further = has_further end
  if has_further then
    if not reads_further then
      local further = redis.call('HMGET', key, FURTHER_FIELD_NAMES)
      for index = 1, FURTHER_FIELD_COUNT do values[CLAIM_FIELD_COUNT + 1 + index] = further[index] end
    end
    local noted, crashes = values[CLAIM_FIELD_COUNT + 1 + FURTHER.nrq_crashes], 0
    if noted then
      --- @include crashes
      crashes = crashes_of(noted, values[CLAIM_FIELD_COUNT + 1 + FURTHER.enqueued_at])
      values[CLAIM_FIELD_COUNT + 1 + FURTHER.nrq_crashes] = crashes > 0 and tostring(crashes)
    end
    if crashes >= tonumber(ARGV.suspect_crashes) then
      if claims.has_suspect then
        if claims.waits_in_lane then
          claims.failure = 'suspect'
          return nil
        end
        -- The worker has another: side by side, both would be taken for poison.
        assure_right('HSET', job_prefix)
        local delay = tonumber(ARGV.suspect_delay)
        local put_off = redis.pcall('ZADD', queue.scheduled, score(now + delay), id)
        if type(put_off) ~= 'table' then put_off = redis.pcall('HSET', key, 'status', 'scheduled') end
        if type(put_off) == 'table' then claims.failure = put_off.err end
        if claims.next_due == '' or tonumber(claims.next_due) > delay then claims.next_due = ARGV.suspect_delay end
        return nil
      end
      claims.has_suspect = true
    end
    if has_rare then
      local rare = redis.call('HMGET', key, RARE_FIELD_NAMES)
      for index = 1, RARE_FIELD_COUNT do values[CLAIM_FIELD_COUNT + 1 + FURTHER_FIELD_COUNT + index] = rare[index] end
    end
  elseif reads_further then
    for index = CLAIM_FIELD_COUNT + 2, CLAIM_FIELD_COUNT + 1 + FURTHER_FIELD_COUNT do values[index] = nil end
  end
  return values
end

-- Claims as many of these ids as it can, in order, and answers how many of them need not be looked at again, and the
-- leases of those that are claimed: score, member, ... The leases come first: a lease whose job is not started does no harm,
-- a started job without a lease would be lost.
local function claim(queue, claims, ids)
  local found, leases, looked_at, is_found = {}, {}, 0, {}
  local count, number, stem = 0, claims.number
  for _, id in ipairs(ids) do
    local values
    if is_found[id] then
      -- An id can be in the list more than once; nothing is written yet that would show it.
      claims.dropped[#claims.dropped + 1] = id
      claims.dropped[#claims.dropped + 1] = 'started'
    else
      values = look_at(queue, claims, id)
    end
    if claims.failure ~= '' then break end
    looked_at = looked_at + 1
    if values then
      is_found[id] = true
      count = count + 1
      found[count] = values
      -- Sixteen in a row have all digits but the last one in common.
      local digit = number % 16
      if digit == 0 or not stem then stem = ':' .. claims.token .. string.format('%015x', (number - digit) / 16) end
      leases[2 * count - 1] = claims.lease_end
      leases[2 * count] = id .. stem .. string.sub('0123456789abcdef', digit + 1, digit + 1)
      number = number + 1
      local meta = values[CLAIM.meta]
      claims.bytes = claims.bytes + #values[CLAIM.data] + (meta and #meta or 0)
      if claims.bytes > LARGE_ANSWER then
        -- A batch is cut only where it is far too large.
        if not claims.in_batch or claims.bytes > LARGE_BATCH then
          claims.state = 'more'
          break
        end
      end
    end
  end
  if count == 0 then return looked_at end
  local is_leased, problem = pcall(batched, 'ZADD', queue.started, leases)
  if not is_leased then
    --- @include error-text
    claims.failure = error_text(problem)
    return 0
  end
  local jobs, worker = claims.jobs, claims.worker
  local claimed = #jobs
  for index = 1, count do
    local values = found[index]
    local id, data = values[CLAIM_FIELD_COUNT + 1], values[CLAIM.data]
    local key = job_prefix .. id
    local written = redis.pcall('HSET', key, 'status', 'started', 'started_at', now_text, 'worker_name', worker)
    if type(written) == 'table' then
      claims.failure = written.err
      for late = index, count do redis.pcall('ZREM', queue.started, leases[2 * late]) end
      for place, wanted in ipairs(ids) do
        if wanted == id then return place - 1, leases end
      end
    end
    -- A time limit for waiting, or the one of an earlier end, does not hold while the job runs.
    if values[CLAIM_FIELD_COUNT + 1 + FURTHER.ttl] or values[CLAIM_FIELD_COUNT + 1 + FURTHER.ended_at] then
      redis.pcall('PERSIST', key)
      redis.pcall('PERSIST', key .. ':dependents')
    end
    if values[CLAIM_FIELD_COUNT + 1 + FURTHER.ended_at] then
      -- Python enqueues a job that has ended without taking it out of there.
      redis.pcall('HDEL', key, 'ended_at', 'result', 'exc_info')
      for _, registry in ipairs({ 'finished', 'failed', 'canceled' }) do redis.pcall('ZREM', queue[registry], id) end
    end
    -- Known, so it need not travel.
    values[CLAIM.status] = false
    if #data > LONG_DATA then
      -- What the worker would refuse stays here: its length goes in its place.
      claims.long[#claims.long + 1] = #data > claims.max_payload and #data or data
      values[CLAIM.data] = true
    end
    jobs[claimed + index] = values
    claims.number = claims.number + 1
  end
  if claims.execution_ttl ~= '' then
    --- @include executions
    for index = 2, #leases, 2 do
      local id, execution = string.match(leases[index], '^(.*):(.*)$')
      begin_execution(id, execution, claims.worker, claims.execution_ttl)
    end
  end
  return looked_at, leases
end

-- Ids that are not jobs, or must not run, are taken out and do not hold up those behind them.
local MOST_LOOKED_AT = 2000

-- Raises when what is claimed could not be taken out.
local function claim_from_list(queue, claims, list)
  assure_right('LTRIM', list)
  local seen = 0
  while #claims.jobs < claims.want and claims.failure == '' and claims.state == '' do
    local wanted = claims.want - #claims.jobs
    -- A number as text costs a third.
    local ids = redis.pcall('LRANGE', list, '0', wanted == 1 and '0' or wanted - 1)
    if ids.err then
      claims.failure = ids.err
      return
    end
    if #ids == 0 then return end
    local taken = claim(queue, claims, ids)
    -- What the worker asked for is there as text; what is wanted here may be less (see serve-lanes.lua).
    if taken > 0 then redis.call('LTRIM', list, taken == claims.asked and ARGV.want or taken, '-1') end
    seen = seen + taken
    if #ids < wanted then return end
    if seen >= MOST_LOOKED_AT and #claims.jobs < claims.want then claims.state = 'more' end
  end
end
