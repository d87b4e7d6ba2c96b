-- Gives requeued jobs new retries: so many, or as many as their policy says.
--
-- `nrq_retry` keeps what RQ's fields cannot say: `max`, how many there were at first; `by`, that the policy was taken
-- over from the handler at an earlier failure, so that the handler's own counts again; `since`, from when on the time of
-- a policy's `within` is counted.

local function letters(given, added)
  for letter in string.gmatch(added, '.') do
    if not string.find(given, letter, 1, true) then given = given .. letter end
  end
  return given
end

local function renew_retries(id)
  local key = job_prefix .. id
  local job = redis.call('HMGET', key, 'nrq_given', 'nrq_retry', 'retries_left', 'retry_intervals', 'success_callback_name')
  local is_read, own = pcall(cjson.decode, job[2] or '{}')
  if not is_read or type(own) ~= 'table' then own = {} end
  redis.call('HDEL', key, 'number_of_retries')
  local retries = tonumber(ARGV.retries)
  if not retries and own.by == 'handler' then
    redis.call('HDEL', key, 'retries_left', 'nrq_retries_left', 'retry_intervals')
    own = {}
  elseif not retries then
    retries = tonumber(own.max)
  end
  if retries then
    local text = string.format('%d', retries)
    redis.call('HSET', key, 'retries_left', text, 'nrq_retries_left', text)
    if not own.max then own.max = retries end
    if not job[4] then
      redis.call('HSET', key, 'retry_intervals', ARGV.intervals)
      for name, value in pairs(cjson.decode(ARGV.own_retry)) do own[name] = value end
    end
    -- Of a job that Python has written, the stored policy counts in any case.
    if ARGV.retries ~= 'fresh' and (job[1] or not job[5]) then
      redis.call('HSET', key, 'nrq_given', letters(job[1] or '', 'rx'))
    end
  end
  own.since = math.floor(now)
  redis.call('HSET', key, 'nrq_retry', cjson.encode(own))
end
