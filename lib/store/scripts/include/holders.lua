-- Who runs which jobs: the members of the started registry, read once, when somebody first asks. Whoever holds a lease
-- runs the job, whatever status Python has written meanwhile.

local holders

-- id -> list of members
local function holders_of_all(queue)
  if not holders then
    holders = {}
    for _, member in ipairs(redis.call('ZRANGE', queue.started, 0, -1)) do
      local id = string.match(member, '^(.*):') or member
      holders[id] = holders[id] or {}
      holders[id][#holders[id] + 1] = member
    end
  end
  return holders
end
