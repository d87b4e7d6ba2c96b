-- Settles one execution, by the kind of its outcome: (execution, place of its first value in ARGV, result). Most jobs
-- finish and keep their result in their hash: what all other outcomes need is made only for them.

-- 1 ttl  2 'hash' | 'hash of member' (of a group)  3 result ('' = no value), unless it is given
local function settle_finished(execution, first, result)
  local ttl = ARGV[first]
  result = result or ARGV[first + 2]
  if result == '' then return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result) end
  return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result, 'result', result)
end

local function other_outcomes()
  --- @include other-outcomes
  return settle
end
