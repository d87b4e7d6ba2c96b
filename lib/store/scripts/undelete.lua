-- Gives back jobs that have been deleted within the last hour, a slice of those that one operation has deleted.
--
-- Flags allow-oom
-- KEYS  list       the queue
-- ARGV  prefix     how the names of all keys begin
--       channels   how the names of our channels begin
--       queue      name of the queue
--       operation  names what has deleted them
--       most       how many at most
-- Reply 1 how many are back  2 how many are not: another job has their id, or their time is over  3 how many are left
-- State each stands where it stood, for as long as it would have

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include trash

local queue = queue_of({ name = ARGV.queue, list = KEYS.list })
local list = queue.deleted .. ARGV.operation
local ids = redis.call('LRANGE', list, 0, tonumber(ARGV.most) - 1)
assure_right('LTRIM', list)
for _, registry in ipairs({ 'finished', 'failed', 'canceled' }) do
  redis.call('ZCARD', queue[registry])
  assure_right('ZADD', queue[registry])
end
for _, command in ipairs({ 'HDEL', 'RENAME', 'PERSIST', 'PEXPIREAT' }) do assure_right(command, job_prefix) end

local back, refused = 0, 0
for _, id in ipairs(ids) do
  local keys = trash.keys_of(id)
  local job, kept = keys[1][1], keys[1][2]
  local note = redis.pcall('HGET', kept, 'nrq_trash')
  local registry, score, ends = string.match(type(note) == 'string' and note or '', '^(%l+) (%S+) (%S+)$')
  local is_over = not registry or not trash.REGISTRIES[registry] or (ends ~= '-' and tonumber(ends) <= now)
  if is_over or redis.call('EXISTS', job) == 1 then
    refused = refused + 1
  else
    redis.call('ZADD', queue[registry], score, id)
    redis.call('HDEL', kept, 'nrq_trash')
    for _, names in ipairs(keys) do
      if redis.call('EXISTS', names[2]) == 1 then
        redis.call('RENAME', names[2], names[1])
        if ends == '-' then redis.call('PERSIST', names[1]) else redis.call('PEXPIREAT', names[1], ends) end
      end
    end
    back = back + 1
  end
end
redis.call('LTRIM', list, #ids, -1)
return { back, refused, redis.call('LLEN', list) }
