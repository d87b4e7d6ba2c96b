-- Wakes one worker that waits when a job may start for which it has room. `asleep` (hash) holds the workers that came up
-- short: asked for more jobs than might start. With each stand the gates for which it has no room of its own, between tabs.
--
-- One that has gone is not there to hear it, and the next is told. Each that is told makes an exchange, at whose end it is
-- looked again: so no more are woken than there is work for, and none is forgotten.

local WAKES_AT_MOST = 20

-- Until now the queue was plain, and nobody who waits for its jobs is among those that sleep: all look once.
local function wake_all() redis.pcall('PUBLISH', queue.wake, 'lanes') end

local function wake_sleeper()
  if redis.call('EXISTS', queue.asleep) == 0 then return end

  -- '' stands for RQ's list, where nobody waits while the queue as a whole is full.
  local function what_may_start()
    local names = redis.call('ZRANGEBYSCORE', queue.gates, '-inf', now_micros, 'LIMIT', 0, WAKES_AT_MOST)
    local limits = whole_queue()
    if (limits.total or limits.rate or limits.rests) and redis.call('EXISTS', queue.list, queue.high, queue.low) > 0 then names[#names + 1] = '' end
    return names
  end

  local function has_room_for(names, full)
    for _, name in ipairs(names) do
      if not string.find(full, TAB .. name .. TAB, 1, true) then return true end
    end
    return false
  end

  -- The first gate that opens at a time of which nobody has been told (see next_opening in serve-lanes.lua): whoever is
  -- woken for it learns the time.
  local function what_opens_untold()
    local first = redis.call('ZRANGEBYSCORE', queue.gates, '(' .. now_micros, '(+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if not first[1] then return {} end
    local told = tonumber(string.match(redis.call('GET', queue.timer) or '', '^%d+'))
    if told and told >= now and told <= tonumber(first[2]) / 1000 + 1 then return {} end
    return { first[1] }
  end

  local names = what_may_start()
  if #names == 0 then names = what_opens_untold() end
  if #names == 0 or room_of_queue() <= 0 then return end
  if redis.call('EXISTS', queue.paused, prefix .. 'suspended') > 0 then return end
  local message = cjson.encode({ command = 'wake', queue = queue.name })
  local cursor, tried = '0', 0
  repeat
    local page = redis.call('HSCAN', queue.asleep, cursor, 'COUNT', WAKES_AT_MOST)
    for at = 1, #page[2], 2 do
      if has_room_for(names, page[2][at + 1]) then
        redis.call('HDEL', queue.asleep, page[2][at])
        if redis.pcall('PUBLISH', ARGV.channels .. 'commands:' .. page[2][at], message) == 1 then return end
        tried = tried + 1
      end
    end
    cursor = page[1]
  until cursor == '0' or tried >= WAKES_AT_MOST
end
