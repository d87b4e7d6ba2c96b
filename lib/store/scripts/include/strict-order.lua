-- Strict order: while a job waits for its retry, the later ones of its key wait for it. It holds the key, not a slot: it
-- does not run. `strict` (hash) says which job of a key that is; it is believed only as far as the job itself says the
-- same, so that nothing that anybody does to the job closes the lane for good.

-- A run of this job has ended. is_put_off: it waits for its next one
local function hold_key(gate, key, id, is_put_off)
  if is_put_off then
    redis.call('HSET', gate.strict, key, id)
  elseif redis.call('HGET', gate.strict, key) == id then
    redis.call('HDEL', gate.strict, key)
  end
end

-- Whether the jobs of a lane have to wait for one that is not there. One that is there comes first.
local function waits_for_retry(gate, key)
  local id = gate.is_strict and redis.call('HGET', gate.strict, key)
  if not id then return false end
  local status = redis.pcall('HGET', job_prefix .. id, 'status')
  if status == 'scheduled' or status == 'started' then return true end
  if status == 'queued' then
    local lane = gate.lane .. key
    if redis.call('LINDEX', lane, 0) == id then return false end
    -- It is on its way, through RQ's list.
    if redis.call('LREM', lane, 0, id) == 0 then return true end
    redis.call('LPUSH', lane, id)
    return false
  end
  redis.call('HDEL', gate.strict, key)
  return false
end

-- One for which the others wait has come into their lane.
local function has_come(gate, key, ids)
  local awaited = gate.is_strict and redis.call('HGET', gate.strict, key)
  if not awaited then return end
  for _, id in ipairs(ids) do
    if id == awaited then redis.call('ZADD', gate.lanes, 'LT', now_micros, key) end
  end
end
