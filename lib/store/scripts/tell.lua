-- Writes down what a running job tells: how far it is, lines of its log, other data for later attempts, that it lives.
--
-- KEYS  job       the job
--       log       its log
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of its queue
--       member    of the started registry
--       progress  JSON, '' = it tells none
--       event     the event that tells of the progress, JSON
--       data      text of its call from now on, '' = as it was
--       alive     '1' = its `last_heartbeat` is now, '' = it stays
--       kept      how many lines of the log are kept
--       ttl       seconds for which the log is kept after this
--       lines...  number of lines, then the lines
-- Reply 1, or 0 when the lease is not ours any more: nothing is written then
-- State the job holds progress and data, the log ends with the lines. A log that cannot be written is passed over

--- @include now
--- @include queue
--- @include events-listened

local queue = queue_of({ name = ARGV.queue })
if not redis.call('ZSCORE', queue.started, ARGV.member) or redis.call('EXISTS', KEYS.job) == 0 then return 0 end

local fields = {}
local function set(field, value)
  fields[#fields + 1] = field
  fields[#fields + 1] = value
end
if ARGV.progress ~= '' then set('nrq_progress', ARGV.progress) end
if ARGV.data ~= '' then set('data', ARGV.data) end
if ARGV.alive == '1' then set('last_heartbeat', now_text) end
if #fields > 0 then redis.call('HSET', KEYS.job, unpack(fields)) end

local lines = tonumber(ARGV[INDEX.lines])
if lines > 0 then
  local length = redis.pcall('RPUSH', KEYS.log, unpack(ARGV, INDEX.lines + 1, INDEX.lines + lines))
  if length == lines then
    -- Whoever deletes the job must know that it has a log. (Of Python's jobs everything is deleted.)
    local known = redis.pcall('HMGET', KEYS.job, 'nrq_given', 'success_callback_name')
    if not known.err and not known[2] then redis.pcall('HSET', KEYS.job, 'nrq_given', (known[1] or '') .. 'o') end
  end
  redis.pcall('LTRIM', KEYS.log, -tonumber(ARGV.kept), -1)
  redis.pcall('EXPIRE', KEYS.log, ARGV.ttl)
end
if ARGV.progress ~= '' and is_listened(queue) then redis.pcall('PUBLISH', queue.events, ARGV.event) end
return 1
