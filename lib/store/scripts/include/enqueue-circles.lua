-- Jobs of groups that would wait for themselves: made for calls that bring jobs of groups.
--
-- A job waits for jobs that are there already or stand before it in the call. So a circle can be closed in one way only:
-- a new job joins a group, somebody waits for that group, and the new job waits for whoever that is, or for somebody
-- further along. So the look goes from the group to those who wait for it, to those who wait for them, and so on.

-- How many jobs are looked at for one call. A circle that is longer is not seen.
local MOST_LOOKED_AT = 1000

-- What is waited for (an id, or '@' and a group) -> ids of this call; id of this call -> its group, false = none.
local circles, waiting_here, group_here, looked_at_in_all = {}, {}, {}, 0

local function key_of_waiting(node)
  if string.byte(node) == 64 then return prefix .. 'nrq:group-dependents:' .. string.sub(node, 2) end
  return job_prefix .. node .. ':dependents'
end

-- Who waits for a group, sooner or later: whether one of `wanted` does.
local function leads_to(group, wanted)
  local open, seen = { '@' .. group }, { ['@' .. group] = true }
  local function note(node)
    if not seen[node] then open[#open + 1] = node end
    seen[node] = true
  end
  local function look(id)
    looked_at_in_all = looked_at_in_all + 1
    local name = group_here[id]
    if name == nil then
      local job = redis.pcall('HMGET', job_prefix .. id, 'status', 'group_id')
      if job.err or job[1] ~= 'deferred' then return end
      name = job[2]
    end
    note(id)
    if name and name ~= '' then note('@' .. name) end
  end
  while #open > 0 do
    local node, cursor = table.remove(open), '0'
    if wanted[node] then return true end
    for _, id in ipairs(waiting_here[node] or {}) do look(id) end
    repeat
      local page = redis.pcall('SSCAN', key_of_waiting(node), cursor, 'COUNT', 100)
      if page.err then break end
      for _, id in ipairs(page[2]) do look(id) end
      cursor = page[1]
    until cursor == '0' or looked_at_in_all > MOST_LOOKED_AT
    if looked_at_in_all > MOST_LOOKED_AT then return false end
  end
  return false
end

-- Whether a new job closes a circle. If not, it is one of those that the next ones may wait for.
-- group: its group, if it has one
function circles.is_closed_by(id, place, group)
  local list = string.match(place, '^after %l+ %S+ (.*)$')
  if not list then return false end
  local wanted = {}
  for node in string.gmatch(list, string.byte(list) == 64 and '.+' or '[^,]+') do wanted[node] = true end
  if group and leads_to(group, wanted) then return true end
  for node in pairs(wanted) do
    local ids = waiting_here[node] or {}
    waiting_here[node] = ids
    ids[#ids + 1] = id
  end
  group_here[id] = group or false
  return false
end
