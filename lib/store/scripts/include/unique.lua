-- Unique jobs. The hash `queue.unique` says which job holds a key. It is believed only as far as the job itself says the
-- same, so that an entry that was left behind is in nobody's way.
--
-- An entry is 'ID', or 'ID MILLISECONDS': held until that moment, whatever becomes of the job but for a cancel. The job
-- has in `nrq_unique` for how long it holds its key, and the key: 'ended KEY', 'started KEY' or 'MILLISECONDS KEY'.
--
-- Needs statuses, holders and release-key.

local function entry_of(id, hold)
  return tonumber(hold) and id .. ' ' .. string.format('%.0f', now + tonumber(hold)) or id
end

-- Which job an entry names as the holder of its key, and whether it 'waits', 'runs' or 'keeps' the key for a time.
-- Answers nothing when it does not hold it any more.
local function holder_in(queue, key, entry)
  local id, kept_until = string.match(entry, '^(%S+) ?(%d*)$')
  if not id then return nil end
  local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'status', 'nrq_unique', 'data'))
  local _, own_key = key_in(not job.err and job[3] and job[2])
  local status = own_key == key and (job[1] or 'queued')
  if kept_until ~= '' then
    -- A job whose time to live is over has had its run, as far as anybody knows.
    if tonumber(kept_until) <= now or status == 'canceled' then return nil end
    return id, 'keeps'
  end
  if not status then return nil end
  if has_ended(status) then
    -- RQ leaves a job that waits for its next round with the status of the last one.
    if status == 'finished' and redis.call('ZSCORE', queue.scheduled, id) then return id, 'waits' end
    return nil
  end
  if status == 'started' then
    -- One that was lost on the way would keep its key for ever.
    if holders_of(queue)[id] then return id, 'runs' end
    return nil
  end
  -- A worker has taken it out of the queue.
  if redis.call('LPOS', queue.intermediate, id) then return id, 'runs' end
  return id, 'waits'
end

local function holder_of(queue, key)
  local entry = redis.call('HGET', queue.unique, key)
  if entry then return holder_in(queue, key, entry) end
end

-- Whether a job that would hold the key for so long has to stand back.
local function keeps_out(state, hold) return state ~= 'runs' or hold ~= 'started' end

-- For a job that goes back into its queue: it takes its key again. Answers the job that holds it meanwhile, else nothing.
local function take_key_again(queue, id)
  local hold, key = key_in(redis.call('HGET', job_prefix .. id, 'nrq_unique'))
  if not key then return nil end
  local holder, state = holder_of(queue, key)
  if holder and holder ~= id and keeps_out(state, hold) then return holder end
  redis.call('HSET', queue.unique, key, entry_of(id, hold))
end
