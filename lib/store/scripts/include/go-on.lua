-- Goes on with what earlier calls have left over. Answers whether there is more.
local function go_on(queue)
  local notes = redis.call('HSCAN', queue.ended, '0', 'COUNT', 10)[2]
  for at = 1, #notes, 2 do
    local entry = untold.unpack(notes[at], notes[at + 1])
    if entry then
      entry.noted_as = entry.key
      -- It may have been requeued meanwhile, and have ended again.
      if not ENDS_FOR_GOOD[entry.how] then
        entry.how = end_of_parent(entry.id) or 'again'
        if entry.how == 'finished' then entry.result, entry.hands_over, entry.is_begun = handed.result_of(entry.id), nil, false end
      end
      hung.open[#hung.open + 1] = entry
    else
      redis.call('HDEL', queue.ended, notes[at])
    end
  end
  tell_open(queue)
  return hung.is_left or redis.call('EXISTS', queue.ended) == 1
end
