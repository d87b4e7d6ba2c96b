-- Settles the outcomes of a call at most once, however often the call is made.
--
-- A worker may lose the answer to a call that settles outcomes. It cannot tell from a job's status whether the outcome
-- was written, since the job may have gone on. So:
--
-- 1. Each call that brings outcomes leaves a note in a hash of its worker and queue. The field is the call's slot (see
--    exchange.lua), the value is the call's number and the outcomes that were refused.
-- 2. The worker repeats a call whose answer was lost, with the same number and a mark that it is repeated.
-- 3. If the first call arrived, its note is there, and is the answer. Nothing is settled again.
-- 4. If it did not, the repeated call settles. The first may still arrive after it: it finds that the executions have
--    ended, and notes that it was refused. So the repeated call has a field of its own, which the first cannot overwrite.

--- @include settle-all

-- Answers as settle_all: the refused outcomes, and by index those of which no event may be told. These are also the
-- outcomes that an earlier call has settled: it has told their events.
local function settle_once(queue, executions, gates, has_records)
  if #executions.ids == 0 then return {}, {} end
  local number, place = ARGV.call_number, ARGV.call_slot
  local notes = prefix .. 'nrq:calls:' .. queue.name .. ':' .. ARGV.token
  if ARGV.call_is_repeated == '1' then
    local repeated = place .. ' repeated'
    for _, field in ipairs({ repeated, place }) do
      local note = redis.call('HGET', notes, field)
      if note and string.match(note, '^%d+') == number then
        local told = {}
        for index = 1, #executions.ids do told[index] = true end
        local refused = string.match(note, '^%d+\n(.*)$')
        return refused and cmsgpack.unpack(refused) or {}, told
      end
    end
    place = repeated
  end
  local refused, is_refused = settle_all(queue, ARGV.worker, executions, gates, has_records, function()
    local noted = redis.pcall('HSET', notes, place, number)
    if type(noted) == 'table' then return noted.err end
    if ARGV.calls_kept ~= '' then redis.pcall('EXPIRE', notes, ARGV.calls_kept) end
  end)
  if #refused > 0 then redis.pcall('HSET', notes, place, number .. '\n' .. cmsgpack.pack(refused)) end
  return refused, is_refused
end
