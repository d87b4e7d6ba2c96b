-- Shows how much of the limits of a queue, of its handlers and of their keys is used.
--
-- KEYS  flags       of the queue (hash)
-- ARGV  prefix      how the names of all keys begin
--       channels    how the names of our channels begin
--       queue       name of the queue
--       targets...  whose: the name of a handler, or that, a tab and a key; empty: of the queue
-- Reply per target a list of: why ('concurrency', 'paused', 'rate', 'snoozed'), how much is used, how much that may be, in
--       how many milliseconds ('' = at once), 1 = it keeps jobs from starting now, milliseconds since the epoch from which
--       one may ('' = not known, or not waited for), ...
-- State nothing is changed but for what is over

--- @include now
--- @include batched
--- @include queue
--- @include limit-uses

local queue = queue_of({ name = ARGV.queue, flags = KEYS.flags })
local replies = {}

local function uses_of_target(target)
  if target == '' then return uses_of_queue(queue) end
  local gate, key = queue.lanes.lane_in(target)
  if gate then return uses_of_key(queue.lanes, gate, key) end
  gate = queue.lanes.gate_named(target)
  return gate and uses_of_handler(queue.lanes, gate) or {}
end

for index = INDEX.targets, #ARGV do
  local row = {}
  for _, use in ipairs(uses_of_target(ARGV[index])) do
    for _, value in ipairs({ use.why, use.used, use.max, use.per, use.stops and 1 or 0, moment_text(use.opens) }) do
      row[#row + 1] = value
    end
  end
  replies[#replies + 1] = row
end
return replies
