-- Runs of Python's that are over, and stand in the started registry all the same. A Python worker writes a success anew
-- when a key that it watches has changed meanwhile: a child has come, or another parent of a child was written to. It has
-- forgotten by then which run it was, and leaves its entry.
--
-- Such a job seems to run, up to a minute longer than its timeout, and keeps its unique key. Then a Python worker takes it
-- for one whose worker has died, and it fails although it had finished.
--
-- An entry goes when its job is over, and no worker is at it, at two turns of the sweep.

-- Entries of a turn, and how many of them are noted for the next one.
local RUNS_OF_TURN, RUNS_NOTED = 500, 100

-- What the workers of the queue are at, by RQ's word. Raises when that cannot be read.
local function jobs_at_work(queue)
  local at_work = {}
  for _, worker in ipairs(redis.call('SMEMBERS', prefix .. 'workers:' .. queue.name)) do
    local id = redis.call('HGET', worker, 'current_job')
    if id then at_work[id] = true end
  end
  return at_work
end

-- Its job is where no worker has to do with it. Of a job that waits in the queue, its next run tells.
local function is_at_rest(queue, id)
  local status = redis.call('HGET', job_prefix .. id, 'status')
  if not status then return redis.call('EXISTS', job_prefix .. id) == 0 end
  if status == 'scheduled' or status == 'deferred' then return redis.call('ZSCORE', queue[status], id) ~= false end
  return stands_at_end(queue, id, status)
end

local function sweep_executions(queue)
  local noted = redis.call('HMGET', queue.sweeps, 'run', 'runs')
  local page = redis.call('ZSCAN', queue.started, string.match(noted[1] or '', '^%d+$') or '0', 'COUNT', RUNS_OF_TURN)
  local is_noted, looked_at, at_work, over, notes = {}, {}, nil, {}, {}
  local function look_at(member)
    -- Ours have longer names, and last only as long as a lease.
    local id, execution = string.match(member, '^(.*):(%x+)$')
    if looked_at[member] or not execution or #execution ~= 32 or #notes >= RUNS_NOTED then return end
    looked_at[member] = true
    local looked, rests = pcall(is_at_rest, queue, id)
    if not looked or not rests then return end
    at_work = at_work or jobs_at_work(queue)
    if at_work[id] then return end
    if is_noted[member] then
      over[#over + 1] = member
      end_execution(id, execution)
    else
      notes[#notes + 1] = member
    end
  end
  for member in string.gmatch(noted[2] or '', '[^\n]+') do
    if redis.call('ZSCORE', queue.started, member) then
      is_noted[member] = true
      look_at(member)
    end
  end
  for at = 1, #page[2], 2 do look_at(page[2][at]) end
  batched('ZREM', queue.started, over)
  redis.call('HSET', queue.sweeps, 'run', page[1], 'runs', table.concat(notes, '\n'))
  redis.call('EXPIRE', queue.sweeps, 86400)
end
