-- Settles the outcomes of a call at most once, however often the call is made.
--
-- A worker sends how its jobs ended, and the answer is lost. Were the outcomes written? The status of a job does not
-- tell, since it may have changed again meanwhile. So:
--
-- 1. Each call that brings outcomes has a number, and leaves a note: this number, and which outcomes were refused. All
--    notes of a worker and a queue are one hash. Calls that are under way at the same time have different fields there,
--    named by `call_slot` (see exchange.lua).
-- 2. The answer is lost. The worker makes the same call again, with the same number and a mark that it is repeated.
-- 3. If the first call had arrived, its note is there, and is the answer. Nothing is settled again.
-- 4. If it had not, the repeated call settles, and leaves its note in a second field.
-- 5. The first call may still arrive after that. The repeated call has ended the leases, so all its outcomes are refused.
--    Its note says so in the first field. That harms nobody, since the second field is read before the first.

--- @include settle-all

-- Answers as settle_all: the refused outcomes, and by index the outcomes of which no event may be told. A call that finds
-- its note has no event to tell: the earlier call has told them all.
local function settle_once(queue, executions, signs, has_records)
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
  local refused, is_refused = settle_all(queue, ARGV.worker, executions, signs, has_records, notes, place, number)
  if #refused > 0 then redis.pcall('HSET', notes, place, number .. '\n' .. cmsgpack.pack(refused)) end
  return refused, is_refused
end
