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

-- What becomes of a policy, by its text: many jobs have the same one.
local renewed = {}

-- retries: how many, nothing = as many as are left or as the handler says; own: text for `nrq_retry`
local function renewed_policy(text, has_intervals)
  local known = renewed[text .. has_intervals]
  if known then return known end
  local is_read, own = pcall(cjson.decode, text)
  if not is_read or type(own) ~= 'table' then own = {} end
  local retries = tonumber(ARGV.retries)
  local is_handlers = not retries and own.by == 'handler'
  if is_handlers then
    own = {}
  else
    retries = retries or tonumber(own.max)
    own.max = own.max or retries
    if retries and has_intervals == '' then
      for name, value in pairs(cjson.decode(ARGV.own_retry)) do own[name] = value end
    end
  end
  own.since = math.floor(now)
  known = { is_handlers = is_handlers, retries = retries and string.format('%d', retries), own = cjson.encode(own) }
  renewed[text .. has_intervals] = known
  return known
end

local function renew_retries(id)
  local key = job_prefix .. id
  local job = redis.call('HMGET', key, 'nrq_given', 'nrq_retry', 'retry_intervals', 'success_callback_name')
  local policy = renewed_policy(job[2] or '{}', job[3] and ' ' or '')
  if policy.is_handlers then
    redis.call('HDEL', key, 'retries_left', 'nrq_retries_left', 'retry_intervals', 'number_of_retries')
  else
    redis.call('HDEL', key, 'number_of_retries')
  end
  if not policy.retries then
    redis.call('HSET', key, 'nrq_retry', policy.own)
    return
  end
  redis.call('HSET', key, 'retries_left', policy.retries, 'nrq_retries_left', policy.retries,
    'retry_intervals', job[3] or ARGV.intervals, 'nrq_retry', policy.own)
  -- Of a job that Python has written, the stored policy counts in any case.
  local given = job[1] or ''
  if ARGV.retries ~= 'fresh' and (job[1] or not job[4]) and letters(given, 'rx') ~= given then
    redis.call('HSET', key, 'nrq_given', letters(given, 'rx'))
  end
end
