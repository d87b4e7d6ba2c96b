-- Settles one execution, by the kind of its outcome: (execution, place of its first value in ARGV, result). Most jobs
-- finish and keep their result in their hash: what all other outcomes need is made only for them.

-- 1 ttl  2 'hash'  3 result ('' = no value), unless it is given
local function settle_finished(execution, first, result)
  local ttl = ARGV[first]
  result = result or ARGV[first + 2]
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
