-- Stores new jobs and puts each where it belongs: the queue's tail or head, or the scheduled registry.
--
-- KEYS  1 queues (set)  2 queue (list)  3 scheduled registry
-- ARGV  1 key prefix of jobs   2 wake-up channel of the queue
--       3 'all' = store every job or none, 'each' = refuse single jobs
--       4 number of templates, then per template: count of values, field, value, ...
--       then the number of jobs, then per job:
--         id, check, place, ttl, template, data, count of values, field, value, ...
--       check     'new' id drawn by us | 'once' an existing job is left alone | 'unique' an existing job is an error
--       place     'back' | 'front' | 'in:MILLISECONDS' | 'at:MILLISECONDS since the epoch'
--       ttl       seconds that the job may wait, '' = no limit
--       template  1-based number of the fields that many jobs share
-- Reply list of index (1-based), 'exists' | 'duplicate', ... : the jobs that were not stored; mostly empty
-- State each stored job has a hash with status queued or scheduled and is in the list or the registry, never in both

--- @include now
--- @include batched
--- @include wake

local prefix, channel, mode = ARGV[1], ARGV[2], ARGV[3]
local at = 5
local templates = {}
for number = 1, tonumber(ARGV[4]) do
  local count = tonumber(ARGV[at])
  templates[number] = { unpack(ARGV, at + 1, at + count) }
  at = at + 1 + count
end
local total = tonumber(ARGV[at])
at = at + 1

local refused, fresh, starts = {}, {}, {}
local seen = {}
for index = 1, total do
  local id, check = ARGV[at], ARGV[at + 1]
  starts[index] = at
  if check ~= 'new' and (seen[id] or redis.call('EXISTS', prefix .. id) == 1) then
    local reason = check == 'unique' and 'duplicate' or 'exists'
    refused[#refused + 1] = index
    refused[#refused + 1] = reason
    if reason == 'duplicate' and mode == 'all' then return { index, reason } end
  else
    fresh[#fresh + 1] = index
    if check ~= 'new' then seen[id] = true end
  end
  at = at + 7 + tonumber(ARGV[at + 6])
end

local back, added = {}, {}
for _, index in ipairs(fresh) do
  local first = starts[index]
  local id, place, ttl = ARGV[first], ARGV[first + 2], ARGV[first + 3]
  local key = prefix .. id
  local due
  if place ~= 'back' and place ~= 'front' then
    local milliseconds = tonumber(string.sub(place, 4))
    due = string.sub(place, 1, 2) == 'in' and now + milliseconds or milliseconds
    if due <= now then due = nil end
  end
  local status = due and 'scheduled' or 'queued'
  local count = tonumber(ARGV[first + 6])
  local template = templates[tonumber(ARGV[first + 4])]
  redis.call('HSET', key, 'data', ARGV[first + 5], 'status', status, 'created_at', now_text, unpack(template))
  if count > 0 then redis.call('HSET', key, unpack(ARGV, first + 7, first + 6 + count)) end
  if due then
    redis.call('ZADD', KEYS[3], score(due), id)
    added[id] = true
    -- The time that a job may wait starts when it is due, or a short ttl would lose it.
    if ttl ~= '' then redis.call('PEXPIRE', key, math.ceil(due - now) + tonumber(ttl) * 1000) end
  else
    if ttl ~= '' then redis.call('EXPIRE', key, ttl) end
    if place == 'front' then redis.call('LPUSH', KEYS[2], id) else back[#back + 1] = id end
  end
end
if #fresh > 0 then redis.call('SADD', KEYS[1], KEYS[2]) end
batched('RPUSH', KEYS[2], back)
wake_for_earliest(KEYS[3], channel, added)
return refused
