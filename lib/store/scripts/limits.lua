-- Writes down what limits the jobs of a queue: what a worker says of its handlers, or what an operator sets.
--
-- KEYS  flags        of the queue (hash)
-- ARGV  prefix       how the names of all keys begin
--       channels     how the names of our channels begin
--       queue        name of the queue
--       mode         'declare' a worker starts | 'again' what is not known any more | 'set' an operator
--       whole        (declare) limits of the queue as a whole, '' = none, '?' = not known to this worker
--       limits...    (declare, again) number of handlers, then per handler: name, text of its gate, '' = it needs none
--                    (set) '1' and field and text of the flags, or '2' and those of a key's; text '' = as declared
-- Reply list of name ('' = the queue), text before ('' = none), text now, ... : what has changed
-- State what waits is looked at again wherever a limit has changed

--- @include now
--- @include batched
--- @include queue

local queue = queue_of({ name = ARGV.queue, flags = KEYS.flags })
local changes, changed = {}, {}
local was_plain = redis.call('EXISTS', queue.flags) == 0

local function note(name, before, text)
  changes[#changes + 1] = name
  changes[#changes + 1] = before or ''
  changes[#changes + 1] = text
  changed[name] = true
end

-- A gate that needs no limits any more is emptied; then the sweep drops it.
local EMPTIED = '- - - - - - 0 t'

local function declare(name, text)
  local field = 'g:' .. name
  local before = redis.call('HGET', queue.flags, field)
  if text == '' then
    if not before or string.sub(before, -1) == 't' then return end
    text = EMPTIED
  end
  if before == text or (before and ARGV.mode == 'again') then return end
  redis.call('HSET', queue.flags, field, text)
  note(name, before, text)
end

local function declare_whole(text)
  if text == '?' then return end
  local before = redis.call('HGET', queue.flags, 'q')
  if (before or '') == text or (before and ARGV.mode == 'again') then return end
  if text == '' then redis.call('HDEL', queue.flags, 'q') else redis.call('HSET', queue.flags, 'q', text) end
  note('', before, text)
end

local at = INDEX.limits
if ARGV.mode == 'set' then
  local hash = ARGV[at] == '1' and queue.flags or queue.key_limits
  local field, text = ARGV[at + 1], ARGV[at + 2]
  local numbers, lasts = string.match(text, '^(.*) (%d+)$')
  if numbers and tonumber(lasts) > 0 then text = numbers .. string.format(' %.0f', math.ceil(now + tonumber(lasts))) end
  if text == '' then redis.call('HDEL', hash, field) else redis.call('HSET', hash, field, text) end
  local handler = string.match(field, '^%l+:([^\t]*)')
  -- A handler without a gate gets one.
  if handler and text ~= '' then redis.call('HSETNX', queue.flags, 'g:' .. handler, EMPTIED) end
  note(handler or '', '', text)
else
  for index = 1, tonumber(ARGV[at]) do declare(ARGV[at + 2 * index - 1], ARGV[at + 2 * index]) end
  declare_whole(ARGV.whole)
end

-- The sweep looks at what is more than that.
local LOOKED_AT = 1000

if next(changed) and not queue.is_plain then
  local names = redis.call('ZRANGE', queue.gates, 0, -1)
  for _, name in ipairs(names) do
    local gate = queue.lanes.gate_named(name)
    if gate and (changed[name] or changed['']) then
      queue.lanes.look_again(gate, redis.call('ZRANGEBYSCORE', gate.lanes, '(' .. queue.lanes.now_micros, '+inf', 'LIMIT', 0, LOOKED_AT))
    end
  end
  if was_plain then queue.lanes.wake_all() end
  queue.lanes.close()
end
-- When the queue has no limit any more, nobody looks for those that wait for room in it: all look once.
if changed[''] and not was_plain then redis.pcall('PUBLISH', queue.wake, 'lanes') end
return changes
