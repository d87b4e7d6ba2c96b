-- What a unique job leaves when it ends. See unique.lua for what the keys say; a key that is not released does no harm.

-- Answers for how long a job holds its key, and the key; nothing when it has none.
local function key_in(nrq_unique) return string.match(nrq_unique or '', '^(%S+) (.*)$') end

-- The job has ended in this way ('finished' | 'failed' | 'stopped' | 'canceled' | 'deleted'): its key is free, unless it
-- is kept for a time and the job has run. What Redis refuses here does no harm. origin: the name of its queue
local function release_key(id, how, nrq_unique, origin)
  local _, key = key_in(nrq_unique)
  if not key then return end
  local hash = prefix .. 'nrq:unique:' .. origin
  local entry = redis.pcall('HGET', hash, key)
  local holder, kept_until = string.match(type(entry) == 'string' and entry or '', '^(%S+) ?(%d*)$')
  if holder ~= id then return end
  local has_run = how == 'finished' or how == 'failed' or how == 'stopped'
  if kept_until ~= '' and has_run and tonumber(kept_until) > now then return end
  redis.pcall('HDEL', hash, key)
end
