-- Who runs which jobs: the members of the started registry of a queue, read once, when somebody first asks. Whoever holds
-- a lease runs the job, whatever status Python has written meanwhile.

local holders = {}

-- id -> list of members
local function holders_of(queue)
  local by_id = holders[queue.name]
  if not by_id then
    by_id = {}
    for _, member in ipairs(redis.call('ZRANGE', queue.started, 0, -1)) do
      local id = string.match(member, '^(.*):') or member
      by_id[id] = by_id[id] or {}
      by_id[id][#by_id[id] + 1] = member
    end
    holders[queue.name] = by_id
  end
  return by_id
end
