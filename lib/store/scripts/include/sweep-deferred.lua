-- The deferred registry: jobs whose parents are over although nobody has told them. Python's workers know nothing of
-- ours, and a job that is canceled, deleted or emptied away by Python tells nobody.

--- @include date-text

-- Python registers a job of several before it decides whether it waits: it is left alone so long, by its age.
local YOUNG = 60

-- Its parents as they stand. Of one whose set is lost, all are looked at.
local function look_again(child)
  local key = dependencies_key(child.id)
  if redis.call('EXISTS', key) == 0 then
    local parents = parents_of(child.id)
    if #parents == 0 then return 'wait' end
    for _, parent in ipairs(parents) do redis.call('SADD', key, parent) end
  end
  return look_at_parents(child, true)
end

local function mend(queue, id, youngest)
  local child = child_of(id)
  if not child then
    redis.call('ZREM', queue.deferred, id)
    leave_parents(id)
    return 'gone'
  end
  if child.status ~= 'deferred' or child.queue.name ~= queue.name then return end
  if not child.if_failed and string.sub(child.created_at, 1, 19) > youngest then return end
  local answer, parent, how = look_again(child)
  if answer == 'met' then
    release(child)
  elseif answer == 'cancel' then
    cancel_child(child, parent, how)
    enter_set(child, parent, how)
  end
end

-- Looks at a slice. Answers how many entries it had, and whether it was the last.
local function sweep_deferred(queue, most)
  local cursor = looked_at(redis.pcall('HGET', queue.sweeps, 'deferred')) or '0'
  local page = redis.call('ZSCAN', queue.deferred, string.match(cursor, '^%d+$') or '0', 'COUNT', math.min(most, 250))
  local youngest = string.sub(date_text(math.floor(now / 1000) - YOUNG, 0), 1, 19)
  local gone = {}
  for at = 1, #page[2], 2 do
    local id = page[2][at]
    hung.steps = hung.steps + 1
    local mended, answer = pcall(mend, queue, id, youngest)
    if mended and answer == 'gone' then gone[#gone + 1] = id end
  end
  redis.pcall('HSET', queue.sweeps, 'deferred', page[1])
  ended_all(queue, gone, 'gone')
  tell_open(queue)
  return #page[2] / 2, page[1] == '0'
end
