-- Changes the definition of one schedule.
--
-- KEYS  schedule   its hash (see wire/schedule-record.ts)
--       schedules  those made at run time, by when they are due
--       code       those in code
--       history    ids of its jobs
--       cron_jobs  RQ's list of cron jobs
-- ARGV  channel    on which changes are told
--       act        'define' | 'remove' | 'pause' | 'resume'
--       id         of the schedule
--       queue      of its jobs; '' = any
--       from       'code' | 'api': of the definition
--       rev        its revision
--       expected   revision that the record has; '' = there is none
--       due        when it is due next, milliseconds since the epoch
--       unseen     milliseconds: a definition in code gives way when nobody with it was there for so long
--       fields...  number of fields and values of the definition, then field, value, ...
-- Reply define: 'live' | 'changed' | 'passive' | 'code' | 'api' | 'queue'; else 'done' | 'missing' | 'code' | 'queue'
-- State a schedule has a hash, and an entry in one of the two sets

--- @include now

local found = redis.call('HMGET', KEYS.schedule, 'rev', 'from', 'queue', 'seen', 'older', 'paused')
local rev, from = found[1], found[2]
local set = from == 'code' and KEYS.code or KEYS.schedules
local is_unseen = now - (tonumber(found[4]) or 0) > tonumber(ARGV.unseen)
local other_queue = rev and ARGV.queue ~= '' and found[3] ~= ARGV.queue

local function tell() redis.pcall('PUBLISH', ARGV.channel, ARGV.id) end

if ARGV.act ~= 'define' then
  if not rev then return 'missing' end
  if ARGV.act == 'remove' then
    if other_queue then return 'queue' end
    if from == 'code' and not is_unseen then return 'code' end
    redis.call('ZREM', set, ARGV.id)
    redis.call('DEL', KEYS.schedule, KEYS.history)
    redis.pcall('ZREM', KEYS.cron_jobs, ARGV.id)
  elseif ARGV.act == 'pause' then
    redis.call('HSET', KEYS.schedule, 'paused', '1')
    redis.call('ZADD', set, '+inf', ARGV.id)
  elseif found[6] == '1' then
    redis.call('ZADD', set, ARGV.due, ARGV.id)
    redis.call('HDEL', KEYS.schedule, 'paused')
  end
  tell()
  return 'done'
end

local older = {}
if rev then
  if ARGV.from == 'api' then
    if other_queue then return 'queue' end
    -- One in code that no process has any more may be made anew.
    if from == 'code' and not is_unseen then return 'code' end
  elseif from ~= 'code' then
    return 'api'
  end
  if rev == ARGV.rev and from == ARGV.from then
    redis.call('HSET', KEYS.schedule, 'seen', string.format('%.0f', now))
    return 'live'
  end
  if rev ~= ARGV.expected then return 'changed' end
  for one in string.gmatch(found[5] or '', '%x+') do
    if one == ARGV.rev and ARGV.from == 'code' and not is_unseen then return 'passive' end
    if one ~= ARGV.rev then older[#older + 1] = one end
  end
  older[#older + 1] = rev
  while #older > 100 do table.remove(older, 1) end
elseif ARGV.expected ~= '' then
  return 'changed'
end

local count = tonumber(ARGV[INDEX.fields])
redis.call('HSET', KEYS.schedule, 'rev', ARGV.rev, 'from', ARGV.from, 'seen', string.format('%.0f', now),
  'older', table.concat(older, ' '), unpack(ARGV, INDEX.fields + 1, INDEX.fields + count))
local own_set = ARGV.from == 'code' and KEYS.code or KEYS.schedules
if set ~= own_set then redis.call('ZREM', set, ARGV.id) end
redis.call('ZADD', own_set, found[6] == '1' and '+inf' or ARGV.due, ARGV.id)
tell()
return 'live'
