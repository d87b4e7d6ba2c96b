-- Stores plain jobs (see enqueue.lua), which are what most calls bring: here ends the call, before anything is made that
-- only others need. Where something about the queue is out of the ordinary, they become rows like those of other jobs.

if ARGV.mode == 'plain' then
  local shared = INDEX.templates + 3
  local last = shared - 1 + ARGV[shared - 1]
  local first, total = last + 2, tonumber(ARGV[last + 1])
  if redis.call('EXISTS', ARGV.prefix .. 'nrq:flags:' .. ARGV[shared - 2]) == 0 then
    local job_prefix = ARGV.prefix .. 'job:'
    local keys, ids, stored = {}, {}, 0
    for index = 1, total do
      local id = ARGV[first]
      local key = job_prefix .. id
      local written = redis.pcall('HSET', key, 'data', ARGV[first + 1], 'status', 'queued', 'created_at', now_text,
        'enqueued_at', now_text, unpack(ARGV, shared, last))
      stored = written
      if type(written) == 'table' then break end
      keys[index], ids[index] = key, id
      first = first + 2
    end
    if type(stored) ~= 'table' then stored = redis.pcall('RPUSH', KEYS.list, unpack(ids)) end
    if type(stored) == 'table' then
      -- What Redis refuses on the way leaves nothing of the call.
      if keys[1] then redis.pcall('DEL', unpack(keys)) end
      return stored
    end
    redis.pcall('SADD', ARGV.prefix .. 'queues', KEYS.list)
    return {}
  end
  for index = total, 1, -1 do
    local id, data = ARGV[first + 2 * index - 2], ARGV[first + 2 * index - 1]
    local row = first + JOB.values * (index - 1)
    ARGV[row + JOB.id], ARGV[row + JOB.check], ARGV[row + JOB.place] = id, 'new', 'back'
    ARGV[row + JOB.ttl], ARGV[row + JOB.template], ARGV[row + JOB.data], ARGV[row + JOB.count] = '', '1', data, '0'
  end
end
