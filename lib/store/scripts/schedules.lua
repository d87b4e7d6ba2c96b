-- Tells that a process with schedules in its code is there, and what it may have to fire soon.
--
-- KEYS  schedules  those made at run time, by when they are due
--       code       those in code
--       tidied     exists while somebody has lately tidied up
-- ARGV  prefix     how the names of all keys begin
--       within     milliseconds: of those made at run time, the ones due within that are told
--       most       how many of them at most
--       passive    milliseconds after which a definition that nobody held any more gives way to an older one
--       tidy_each  milliseconds between two times at which a process tidies up
--       own...     number of the process's definitions, then id and revision of each
-- Reply 1 Redis's clock in milliseconds  2 per definition of the process: state, revision, due, when, seen, last; all but
--       the state empty where they say nothing  3 of those made at run time: id, revision, due, ...
--       4 '1' = there are more of them  5 '1' = it is this process's turn to tidy up
-- State definitions that this process shares with the record are marked as seen now

--- @include now

local OWN, SEEN = 'nrq:schedule:', string.format('%.0f', now)
local own, count = {}, tonumber(ARGV[INDEX.own])

local function is_older(list, rev) return string.find(' ' .. (list or '') .. ' ', ' ' .. rev .. ' ', 1, true) end

for index = 1, count do
  local id, rev = ARGV[INDEX.own + index * 2 - 1], ARGV[INDEX.own + index * 2]
  local key = ARGV.prefix .. OWN .. id
  local found = redis.call('HMGET', key, 'rev', 'from', 'seen', 'older', 'when', 'last')
  local due = found[1] and redis.call('ZSCORE', KEYS.code, id) or ''
  if due == 'inf' then due = '' end
  local state = 'takeable'
  if not found[1] then
    state = 'absent'
  elseif found[2] ~= 'code' then
    state = 'api'
  elseif found[1] == rev then
    state = 'live'
    redis.call('HSET', key, 'seen', SEEN)
  elseif is_older(found[4], rev) and now - (tonumber(found[3]) or 0) <= tonumber(ARGV.passive) then
    state = 'passive'
  end
  own[index] = { state, found[1] or '', due, found[5] or '', found[3] or '', found[6] or '' }
end

local soon, most = {}, tonumber(ARGV.most)
local latest = string.format('%.0f', now + tonumber(ARGV.within))
local due_soon = redis.call('ZRANGEBYSCORE', KEYS.schedules, '-inf', latest, 'WITHSCORES', 'LIMIT', 0, most)
for at = 1, #due_soon, 2 do
  local id = due_soon[at]
  local rev = redis.pcall('HGET', ARGV.prefix .. OWN .. id, 'rev')
  if type(rev) == 'string' then
    soon[#soon + 1] = id
    soon[#soon + 1] = rev
    soon[#soon + 1] = due_soon[at + 1]
  else
    redis.pcall('ZREM', KEYS.schedules, id)
  end
end

local tidies = ''
if redis.call('EXISTS', KEYS.schedules, KEYS.code) > 0 then
  if redis.pcall('SET', KEYS.tidied, '1', 'NX', 'PX', ARGV.tidy_each) then tidies = '1' end
end
return { SEEN, own, soon, #due_soon == 2 * most and '1' or '', tidies }
