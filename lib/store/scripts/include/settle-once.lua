-- Settles the outcomes of a call at most once, however often the call is made.
--
-- A worker whose answer was lost cannot tell by a job's status what became of an outcome: the job may have gone on
-- since. So each call that brings outcomes leaves a note, in a hash of its worker and queue: the slot of the call ->
-- its number, and what it refused. The call is repeated as it was, and is answered by the note if there is one. A
-- repetition notes beside the first: that one may still be on its way, and then finds nothing to do.

--- @include settle-all

-- Answers as settle_all. Of outcomes that were settled by an earlier call, no event is to be told again.
local function settle_once(queue, executions, has_records)
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
  local refused, is_refused = settle_all(queue, ARGV.worker, executions, has_records, function()
    local noted = redis.pcall('HSET', notes, place, number)
    if type(noted) == 'table' then return noted.err end
    if ARGV.calls_kept ~= '' then redis.pcall('EXPIRE', notes, ARGV.calls_kept) end
  end)
  if #refused > 0 then redis.pcall('HSET', notes, place, number .. '\n' .. cmsgpack.pack(refused)) end
  return refused, is_refused
end
