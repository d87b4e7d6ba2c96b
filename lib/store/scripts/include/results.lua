-- RQ's result stream of a job, for jobs whose results Python reads.
local STREAMED_FINISHED, STREAMED_FAILED = 1, 2
local STREAM_LENGTH = 10

-- ...: name, value, ...
local function add_result(id, ttl, ...)
  local key = results_prefix .. id
  redis.call('XADD', key, 'MAXLEN', '~', STREAM_LENGTH, '*', ...)
  if ttl == '-1' then redis.pcall('PERSIST', key) else redis.pcall('EXPIRE', key, ttl) end
end
