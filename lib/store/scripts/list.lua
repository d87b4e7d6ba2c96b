-- Reads the rows of a list of jobs: what a person wants to see of each.
--
-- The payload of a large job is never read.
--
-- Entries of the finished and failed registries whose time is over are passed over, as if they had been cleaned up; so
-- the rest can be reached however many there are. Other ids without a job are left out.
--
-- KEYS  list      the queue
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       registry  'queued' | 'started' | 'scheduled' | 'deferred' | 'finished' | 'failed' | 'canceled' | 'ids' = jobs of any
--                 queues
--       offset    place of the first entry, 0-based
--       limit     how many entries to look at at most
--       ids...    the ids, when they are given
-- Reply 1 list of rows, each a list of texts ('' = none): id, score, the beginning of the data, of the description and
--         of exc_info, the last failed attempt's error name, its message, RQ's exc_string, values of the row fields
--       2 how many entries were looked at: fewer than `limit` when there are no more, or when they are large
--       3 '1' = there are more
-- State nothing is changed

--- @include now
--- @include batched
--- @include queue

local ROW_FIELDS = { ROW_FIELD_NAMES }
-- Bytes. Names are shorter than that.
local DATA_SHOWN = 1024
local TEXT_SHOWN = 512
-- Text of a traceback in RQ's stream is shown whole or not at all, since its last line counts.
local LONGEST_FAILURE = 4096
-- To show the first KB of something, Redis copies it all: so many bytes per call keep it below 5 ms.
local BUDGET = 8388608

local queue = queue_of({ name = ARGV.queue })
local offset, limit = tonumber(ARGV.offset), tonumber(ARGV.limit)

--- @include lines

-- Of what waits, in the order in which it is served.
local function waiting(first, count)
  local ids = {}
  for _, list in ipairs(lines_of(queue)) do
    local found = redis.call('LRANGE', list, first, first + count - #ids - 1)
    for _, id in ipairs(found) do ids[#ids + 1] = id end
    if #ids >= count then break end
    first = math.max(0, first - redis.call('LLEN', list))
  end
  return ids
end

-- Answers members and their scores ('' in the queue), and whether there are more.
local function entries()
  local members, scores = {}, {}
  if ARGV.registry == 'ids' then
    return { unpack(ARGV, INDEX.ids) }, {}, false
  elseif ARGV.registry == 'queued' then
    members = waiting(offset, limit + 1)
    if #members <= limit and not queue.is_plain then
      -- Behind them those in lanes, by turn.
      local first = offset
      for _, list in ipairs(lines_of(queue)) do first = math.max(0, first - redis.call('LLEN', list)) end
      for _, id in ipairs(queue.lanes.ids(first, limit + 1 - #members)) do members[#members + 1] = id end
    end
  else
    local first = offset
    if ARGV.registry == 'finished' or ARGV.registry == 'failed' then
      -- A score below 0 is that of an entry that is kept for ever; those whose time is over follow.
      local kept = redis.call('ZCOUNT', queue[ARGV.registry], '-inf', '(0')
      local over = redis.call('ZCOUNT', queue[ARGV.registry], '0', score(now - 1))
      if first >= kept then
        first = first + over
      elseif first + limit > kept and over > 0 then
        -- Up to the last that is kept; the next call goes on behind those whose time is over.
        limit = kept - first
      end
    end
    local found = redis.call('ZRANGE', queue[ARGV.registry], first, first + limit, 'WITHSCORES')
    for index = 1, #found, 2 do
      members[#members + 1] = found[index]
      scores[#scores + 1] = found[index + 1]
    end
  end
  local more = #members > limit
  if more then members[#members] = nil end
  return members, scores, more
end

local spent = 0

-- The beginning of a field that may be large, and its length.
local function beginning(key, field, length)
  local size = redis.call('HSTRLEN', key, field)
  if size == 0 then return '' end
  spent = spent + size
  return string.sub(redis.call('HGET', key, field), 1, length)
end

-- What the last failed attempt said: name and message of its error as we keep them, else RQ's text of a traceback.
local function failure_of(id, key, status, attempts)
  local has_failed = status == 'failed' or status == 'stopped'
  if attempts and status ~= 'finished' then
    local known, record = pcall(cjson.decode, redis.call('HGET', key, 'nrq_attempt:' .. attempts) or '')
    local outcome = known and type(record) == 'table' and record.outcome
    if outcome and (not has_failed or outcome == 'failed' or outcome == 'stopped') then
      return string.sub(tostring(record.error), 1, TEXT_SHOWN), string.sub(tostring(record.message), 1, TEXT_SHOWN), ''
    end
  end
  if not has_failed then return '', '', '' end
  local newest = redis.pcall('XREVRANGE', results_prefix .. id, '+', '-', 'COUNT', 1)
  local fields = not newest.err and newest[1] and newest[1][2] or {}
  for index = 1, #fields, 2 do
    if fields[index] == 'exc_string' and #fields[index + 1] <= LONGEST_FAILURE then return '', '', fields[index + 1] end
  end
  return '', '', ''
end

local function row_of(id, entry_score)
  local key = job_prefix .. id
  local values = redis.pcall('HMGET', key, unpack(ROW_FIELDS))
  if values.err then return nil end
  local data = beginning(key, 'data', DATA_SHOWN)
  -- Without data it is not a job, by RQ's rule.
  if data == '' then return nil end
  local row = { id, entry_score, data, beginning(key, 'description', TEXT_SHOWN), beginning(key, 'exc_info', DATA_SHOWN) }
  row[6], row[7], row[8] = failure_of(id, key, values[ROW.status], values[ROW.nrq_attempts])
  if ARGV.registry == 'ids' and values[ROW.status] == 'scheduled' and values[ROW.origin] then
    row[2] = redis.call('ZSCORE', prefix .. 'scheduled:' .. values[ROW.origin], id) or ''
  end
  for index = 1, #ROW_FIELDS do row[8 + index] = string.sub(values[index] or '', 1, TEXT_SHOWN) end
  return row
end

local members, scores, more = entries()
local rows, looked = {}, 0
for index, member in ipairs(members) do
  if spent > BUDGET then
    more = true
    break
  end
  local id = member
  if ARGV.registry == 'started' then id = string.match(member, '^(.*):') or member end
  rows[#rows + 1] = row_of(id, scores[index] or '')
  looked = looked + 1
end
return { rows, looked, more and '1' or '' }
