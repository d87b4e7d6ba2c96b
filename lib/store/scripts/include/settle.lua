-- Settles one execution, by the kind of its outcome: (execution, place of its first value in ARGV, result). Its values
-- have names, such as FINISHED.ttl (see lib/wire/outcome-columns.ts). Most jobs
-- finish and keep their result in their hash: what all other outcomes need is made only for them.

-- Its place is the hash ('hash of member': of a group). result: '' = no value; not given when it stands among the values
local function settle_finished(execution, first, result)
  local ttl = ARGV[first + FINISHED.ttl]
  result = result or ARGV[first + FINISHED.result]
  if ttl == '0' then
    -- It has no other keys. A job that has some is told as 'hash of more' or 'stream'.
    local ending = execution.ending
    local deleted = ending.deleted or {}
    ending.deleted = deleted
    deleted[#deleted + 1] = execution.key
    announce_later(execution.queue, ending, execution.id, 'finished', 'json', result)
    return nil
  end
  if result == '' then return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result) end
  return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result, 'result', result)
end

local function other_outcomes()
  --- @include other-outcomes
  return settle
end
