-- RQ's records of a run, for its tools: a hash per execution, and the set of a job's executions. We make them only where
-- the data are shared with Python, and nothing of ours depends on them: what Redis refuses here is passed over.
--
-- Both live equally long, since RQ raises when it finds an execution in the set and not its hash.

local function execution_key(id, execution) return prefix .. 'execution:' .. id .. ':' .. execution end
local function executions_key(id) return prefix .. 'executions:' .. id end

-- ttl: seconds  ...: what its hash holds beside the time: name, value, ...
local function keep_execution(id, execution, ttl, ...)
  local hash, set = execution_key(id, execution), executions_key(id)
  redis.pcall('HSET', hash, 'last_heartbeat', string.format('%.6f', now / 1000), ...)
  redis.pcall('EXPIRE', hash, ttl)
  redis.pcall('ZADD', set, string.format('%d', math.floor(now / 1000) + tonumber(ttl)), execution)
  redis.pcall('EXPIRE', set, ttl)
end

local function begin_execution(id, execution, worker, ttl)
  local created = string.format('%.6f', now / 1000)
  keep_execution(id, execution, ttl, 'id', execution, 'created_at', created, 'worker_name', worker)
end

-- One that has expired, while a handler blocked the worker for long, stays away: RQ cannot read half a record.
local function renew_execution(id, execution, ttl)
  if redis.pcall('EXISTS', execution_key(id, execution)) == 1 then keep_execution(id, execution, ttl) end
end

local function end_execution(id, execution)
  redis.pcall('DEL', execution_key(id, execution))
  redis.pcall('ZREM', executions_key(id), execution)
end
