-- The unique jobs among those that are enqueued in one call. `check` says what is to be done where the key is taken:
-- 'key' and, behind it, 'replace' (the new data go to the job that waits) and 'error'.

--- @include statuses
--- @include holders
--- @include release-key
--- @include unique

local unique = {}
-- Queue and key -> id of the job of this call that takes it; what is written when all jobs are stored.
local taken_here, entries, replacements = {}, {}, {}

-- Answers nothing when the job may be stored, else 'replaced ID', 'rekeyed ID' (the two have different keys), 'held ID' or
-- 'duplicate ID'.
function unique.refusal(queue, id, check, first)
  local hold, key = key_in(ARGV[first + JOB.values + 1])
  local place = queue.name .. '\n' .. key
  local holder, state = taken_here[place], 'waits'
  if not holder then holder, state = holder_of(queue, key) end
  if not holder or not keeps_out(state, hold) then
    taken_here[place] = id
    entries[#entries + 1] = { queue, key, entry_of(id, hold) }
    return nil
  end
  -- The call is repeated.
  if holder == id then return 'exists' end
  if state == 'waits' and string.find(check, 'replace', 1, true) then
    local lane, known = lane_brought(first), redis.call('HGET', job_prefix .. holder, 'nrq_lane')
    if lane and known and lane ~= known then return 'rekeyed ' .. holder end
    replacements[#replacements + 1] = { queue, holder, first }
    return 'replaced ' .. holder
  end
  return (string.find(check, 'error', 1, true) and 'duplicate ' or 'held ') .. holder
end

-- The last one that might be stored is not, for another reason.
function unique.forget_last()
  local queue, key = unpack(table.remove(entries))
  taken_here[queue.name .. '\n' .. key] = nil
end

-- The job keeps id, place and options. One that waits for its time waits anew, if the call says for how long.
local function replace(queue, id, first, due_of)
  local key = job_prefix .. id
  local known = redis.call('HMGET', key, 'status', 'ttl')
  local fields, has = { 'data', ARGV[first + JOB.data] }, {}
  for at = first + JOB.values, first + JOB.count + tonumber(ARGV[first + JOB.count]), 2 do
    -- It stays in its lane.
    if ARGV[at] ~= 'nrq_lane' then
      fields[#fields + 1], fields[#fields + 2] = ARGV[at], ARGV[at + 1]
      has[ARGV[at]] = true
    end
  end
  redis.call('HSET', key, unpack(fields))
  for _, field in ipairs({ 'meta', 'description' }) do
    if not has[field] then redis.call('HDEL', key, field) end
  end
  local place = ARGV[first + JOB.place]
  local due = known[1] == 'scheduled' and string.sub(place, 1, 6) ~= 'after ' and due_of(place)
  if due then
    redis.call('ZADD', queue.scheduled, 'XX', score(due), id)
    queue.added = queue.added or {}
    queue.added[id] = true
    local ttl = tonumber(known[2])
    if ttl then redis.pcall('PEXPIRE', key, string.format('%.0f', math.max(1, math.ceil(due - now)) + ttl * 1000)) end
  end
end

-- due_of: the moment that a place says, if it is to come
function unique.write(due_of)
  for _, one in ipairs(entries) do redis.call('HSET', one[1].unique, one[2], one[3]) end
  for _, one in ipairs(replacements) do replace(one[1], one[2], one[3], due_of) end
end

-- Nothing of the call stays.
function unique.undo()
  for _, one in ipairs(entries) do redis.pcall('HDEL', one[1].unique, one[2]) end
end
