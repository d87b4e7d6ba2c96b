-- The worker's one door: settles executions, promotes what is due, claims new jobs.
--
-- KEYS  1 queue (list)  2 intermediate list  3 started registry  4 scheduled  5 finished  6 failed  7 canceled
--       8 pause mark of the queue  9 RQ's suspension mark  10 ids that somebody waits for (set)
-- ARGV  1 key prefix of jobs  2 key prefix of results  3 channel of settled jobs  4 wake-up channel of the queue
--       5 lease in milliseconds  6 worker name  7 execution token  8 number of the next execution
--       9 how many jobs to claim  10 how many due jobs to promote at most
--       11 '1' = one of them may be a suspect, '' = none: a job that was there when workers died
--       12 how often workers must have died for that  13 milliseconds for which the other suspects are put off
--       14 number of woken ids (moved to the intermediate list by this worker), then the ids
--       then the number of entries with outcomes, each one of
--         'one', id, execution without the token, type, count of values, values (include/settle.lua)
--         'finished', ttl, place of the result, text: a run of jobs with short results, per job id, execution and
--           result, each closed by a line feed
--       then the channel of the queue's events, the number of events, then per event: text, the number of the outcome
--       that it tells of (told only if that is written), 0 = of none
-- An execution is the token and 16 hexadecimal digits.
-- Reply 1 list of index (1-based), status, ... : outcomes that were refused since the lease is not ours any more,
--         with the status that the job has now ('missing' = no such job), or 'error ...' when the job's data kept it
--         from being written: the lease is then still ours
--       2 the claimed jobs, with executions numbered in this order, as MessagePack ('' = none): per job a list of the
--         values of the claim fields, id, and of some the further fields; true = data that are long
--       3 list of id, reason, ... : ids that were taken out of the queue without being run
--       4 milliseconds until the next scheduled job is due, '' = none
--       5 '' | 'paused': nothing may be claimed now | 'more': there are more jobs, but these are enough for one answer
--       6 the time in milliseconds
--       7 '' | the error that kept jobs from being claimed; whatever was settled is settled
--       8 '1' = somebody listens to the queue's events, '' = nobody
--       9 list of the long data, in the order of their jobs
-- State each settled job is where its outcome says, each claimed job is started and a member of the started
--       registry until its lease ends

--- @include now
--- @include batched
--- @include wake
--- @include announce
--- @include events
--- @include settle
--- @include promote
--- @include claim-fields

local queue, intermediate, started, scheduled = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local prefix, results_prefix, settled_channel, wake_channel = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local lease, worker, token, number = tonumber(ARGV[5]), ARGV[6], ARGV[7], tonumber(ARGV[8])
local want = tonumber(ARGV[9])
local woken = {}
local at = 15
for _ = 1, tonumber(ARGV[14]) do
  woken[#woken + 1] = ARGV[at]
  at = at + 1
end

-- Settle.
local lost, is_lost = {}, {}
local total = 0
local ids, members, kinds, firsts, results = {}, {}, {}, {}, {}
local function add(id, execution, kind, first, result)
  total = total + 1
  ids[total], members[total] = id, id .. ':' .. token .. execution
  kinds[total], firsts[total], results[total] = kind, first, result
end
local entries = tonumber(ARGV[at])
at = at + 1
for _ = 1, entries do
  if ARGV[at] == 'one' then
    add(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], at + 5)
    at = at + 5 + tonumber(ARGV[at + 4])
  else
    for id, execution, result in string.gmatch(ARGV[at + 3], '([^\n]*)\n([^\n]*)\n([^\n]*)\n') do
      add(id, execution, 'finished', at + 1, result)
    end
    at = at + 4
  end
end
if total > 0 then
  local leases = redis.call('ZMSCORE', started, unpack(members))
  local after = { deleted = {}, finished = {}, scheduled = {}, announced = {} }
  local released = {}
  local job = {
    queue = queue, scheduled = scheduled, failed = KEYS[6], canceled = KEYS[7], worker = worker
  }
  -- A lease shows that the job is ours and started, unless somebody canceled or deleted it: Python leaves the lease
  -- then. The most frequent outcome sees a deletion by itself, and is spared the look when nothing is canceled.
  local none_canceled = redis.call('EXISTS', KEYS[7]) == 0
  for index = 1, total do
    local id, kind = ids[index], kinds[index]
    local key = prefix .. id
    local status = 'started'
    if not leases[index] or kind ~= 'finished' or not none_canceled then
      status = redis.pcall('HGET', key, 'status')
      if type(status) == 'table' then status = false end
    end
    local refused
    if leases[index] and status == 'started' then
      job.id, job.key, job.results = id, key, results_prefix .. id
      local written, problem = pcall(settle[kind], job, firsts[index], after, results[index])
      if not written then
        refused = 'error ' .. (type(problem) == 'table' and problem.err or tostring(problem))
      elseif problem then
        refused = problem
      end
    else
      refused = status or 'missing'
    end
    if refused then
      is_lost[index] = true
      lost[#lost + 1] = index
      lost[#lost + 1] = refused
    end
    if leases[index] and not (refused and string.sub(refused, 1, 6) == 'error ') then
      released[#released + 1] = members[index]
    end
  end
  batched('ZADD', KEYS[5], after.finished)
  batched('DEL', nil, after.deleted)
  batched('ZREM', started, released)
  wake_for_earliest(scheduled, wake_channel, after.scheduled)
  if #after.announced > 0 and redis.call('EXISTS', KEYS[10]) == 1 then
    for _, message in ipairs(after.announced) do
      announce(KEYS[10], settled_channel, unpack(message))
    end
  end
end

-- Tell.
local events_channel = ARGV[at]
local listened = is_listened(events_channel)
if listened then
  for event = at + 2, at + 2 * tonumber(ARGV[at + 1]), 2 do
    if not is_lost[tonumber(ARGV[event + 1])] then redis.call('PUBLISH', events_channel, ARGV[event]) end
  end
end

-- Promote.
local next_due = promote(scheduled, queue, prefix, tonumber(ARGV[10]))

-- Claim. Nothing leaves the list before everything about it is written.
local claimed, dropped, leases, state, failure = {}, {}, {}, '', ''
-- An answer of many long jobs would hold up everybody: the rest goes with the next one. Redis sends 64 KB at once, and
-- what is left of an answer only after the next call, which the worker shall have time to use: so it must not be longer.
local LARGE_ANSWER = 49152
local bytes = 0
-- Longer data travel by themselves: packing would copy them once more.
local LONG_DATA = 2048
local long = {}

local function drop(id, reason)
  dropped[#dropped + 1] = id
  dropped[#dropped + 1] = reason
end

local lease_end = score(now + lease)
local has_suspect = ARGV[11] ~= '1'
local suspect_crashes, suspect_delay = tonumber(ARGV[12]), tonumber(ARGV[13])

-- Answers false when Redis refuses to write.
local function claim(id)
  local key = prefix .. id
  local values = redis.pcall('HMGET', key, unpack(CLAIM_FIELDS))
  if values.err then
    drop(id, 'not a job')
  elseif not values[2] then
    drop(id, 'missing')
  elseif values[1] and values[1] ~= 'queued' then
    drop(id, values[1])
  else
    local count = #CLAIM_FIELDS
    local further
    if values[4] or values[count] or (values[3] and string.find(values[3], 'x', 1, true)) then
      further = redis.call('HMGET', key, unpack(FURTHER_FIELDS))
    end
    local is_suspect = further and (tonumber(further[#FURTHER_FIELDS]) or 0) >= suspect_crashes
    if is_suspect and has_suspect then
      -- The worker has another: side by side, both would be taken for poison.
      redis.call('ZADD', scheduled, score(now + suspect_delay), id)
      redis.call('HSET', key, 'status', 'scheduled')
      if next_due == '' or tonumber(next_due) > suspect_delay then next_due = ARGV[13] end
      return true
    end
    local written = redis.pcall('HSET', key, 'status', 'started', 'started_at', now_text, 'worker_name', worker)
    if type(written) == 'table' then
      failure = written.err
      return false
    end
    has_suspect = has_suspect or is_suspect
    bytes = bytes + #values[2]
    -- Known, so it need not travel.
    values[1] = false
    if #values[2] > LONG_DATA then
      long[#long + 1] = values[2]
      values[2] = true
    end
    values[count + 1] = id
    if further then
      -- A time limit for waiting, or the one of an earlier end, does not hold while the job runs.
      if further[1] or further[2] then redis.call('PERSIST', key) end
      for index = 1, #FURTHER_FIELDS do values[count + 1 + index] = further[index] end
    end
    claimed[#claimed + 1] = values
    leases[#leases + 1] = lease_end
    leases[#leases + 1] = id .. ':' .. token .. string.format('%016x', number)
    number = number + 1
  end
  return true
end

if (want > 0 or #woken > 0) and redis.call('EXISTS', KEYS[8], KEYS[9]) > 0 then
  want = 0
  state = 'paused'
end
if total == 0 and want > 0 then
  -- Claims are entered there when they are written (settling has looked already): an error must come before.
  local registry = redis.pcall('ZCARD', started)
  if type(registry) == 'table' then
    want = 0
    failure = registry.err
  end
end
for index = #woken, 1, -1 do
  -- Somebody may have put it back already, taking us for dead.
  if not redis.call('LPOS', intermediate, woken[index]) then table.remove(woken, index) end
end
local given_back = {}
for _, id in ipairs(woken) do
  if #claimed >= want or not claim(id) then given_back[#given_back + 1] = id end
end
for index = #given_back, 1, -1 do redis.call('LPUSH', queue, given_back[index]) end
for _, id in ipairs(woken) do redis.call('LREM', intermediate, 1, id) end
if #claimed < want and failure == '' then
  local ids = redis.pcall('LRANGE', queue, 0, want - #claimed - 1)
  if ids.err then
    failure = ids.err
  else
    local taken = 0
    for _, id in ipairs(ids) do
      if not claim(id) then break end
      taken = taken + 1
      if bytes > LARGE_ANSWER then
        state = 'more'
        break
      end
    end
    batched('ZADD', started, leases)
    leases = {}
    if taken > 0 then redis.call('LTRIM', queue, taken, -1) end
  end
end
batched('ZADD', started, leases)
local packed = #claimed > 0 and cmsgpack.pack(claimed) or ''
return { lost, packed, dropped, next_due, state, string.format('%.0f', now), failure, listened and '1' or '', long }
