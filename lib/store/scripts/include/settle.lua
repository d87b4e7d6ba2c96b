-- Settles one execution, by the kind of its outcome: (execution, place of its first value in ARGV, result). Its values
-- have names, such as FINISHED.ttl (see lib/wire/outcome-columns.ts). Most jobs
-- finish and keep their result in their hash: what all other outcomes need is made only for them.

-- Its place is the hash ('hash of member': of a group). result: '' = no value; not given when it stands among the values
local function settle_finished(execution, first, result)
  local ttl = ARGV[first + FINISHED.ttl]
  result = result or ARGV[first + FINISHED.result]
  if result == '' then return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result) end
  return finish(execution.queue, execution.ending, execution.id, 'finished', ttl, 'json', result, 'result', result)
end

local function other_outcomes()
  --- @include other-outcomes
  return settle
end
