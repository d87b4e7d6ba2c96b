-- Deletes waiting jobs from the head of the queue, then those in lanes, a slice at a time.
--
-- KEYS  list      the queue
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       most      how many at most
-- Reply 1 number of jobs deleted  2 1 = children are still to be told (see release.lua), 0 = none
-- State the jobs and everything of theirs are gone

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include ended
--- @include lines

local queue = queue_of({ name = ARGV.queue, list = KEYS.list })
local most = tonumber(ARGV.most)
local ids, taken = {}, {}
for _, list in ipairs(lines_of(queue)) do
  local found = #ids < most and redis.call('LRANGE', list, 0, most - #ids - 1) or {}
  if #found > 0 then
    assure_right('LTRIM', list)
    taken[list] = #found
  end
  for _, id in ipairs(found) do ids[#ids + 1] = id end
end
local from_lanes = #ids < most and not queue.is_plain and queue.lanes.ids(0, most - #ids) or {}
for _, id in ipairs(from_lanes) do ids[#ids + 1] = id end
local keys = {}
for _, id in ipairs(ids) do add_keys_of(id, keys) end
if #ids > 0 and redis.pcall('EXISTS', queue.unique, prefix .. 'nrq:groups') ~= 0 then
  for _, id in ipairs(ids) do let_go(id, 'deleted', true) end
end
batched('DEL', nil, keys)
for list, count in pairs(taken) do redis.call('LTRIM', list, count, -1) end
if #from_lanes > 0 then queue.lanes.cut(#from_lanes) end
ended_all(queue, ids, 'deleted')
if not queue.is_plain then
  --- @include tell-room
  tell_room(queue)
end
return { #ids, hung.is_left and 1 or 0 }
