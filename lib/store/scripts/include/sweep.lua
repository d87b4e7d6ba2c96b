-- The sweep: what nobody has told of, since Python or a fault has changed it, is found by looking. One worker takes a turn
-- each ten seconds; a turn is as many entries as it takes to see all within a minute, in as many calls as that needs.

-- Milliseconds between two turns; entries of a turn at least, and the share of all.
local TURN, LEAST, TURNS = 10000, 2500, 5

--- @include go-on
--- @include sweep-deferred
--- @include sweep-executions
--- @include sweep-unique
--- @include sweep-registries
--- @include sweep-groups
--- @include sweep-untold

if redis.call('EXISTS', queue.ended) == 1 and go_on(queue) then more = '1' end

if looked_at(redis.pcall('SET', queue.swept, '1', 'NX', 'PX', TURN)) then
  pcall(sweep_untold, queue)
  if redis.call('EXISTS', queue.started) == 1 then pcall(sweep_executions, queue) end
  sweep_registries(queue)
  local entries = redis.call('ZCARD', queue.deferred)
  if entries > 0 then
    redis.pcall('HSET', queue.sweeps, 'left', string.format('%d', math.max(LEAST, math.ceil(entries / TURNS))))
    redis.pcall('EXPIRE', queue.sweeps, 86400)
  end
  sweep_unique(queue)
  if not queue.is_plain then
    --- @include sweep-lanes
    sweep_lanes()
  end
end
local left = tonumber(looked_at(redis.pcall('HGET', queue.sweeps, 'left')) or '') or 0
if left > 0 then
  local swept, over = sweep_deferred(queue, left)
  if over then left = 0 else left = left - swept end
  if left > 0 then
    redis.pcall('HSET', queue.sweeps, 'left', string.format('%d', left))
    more = '1'
  else
    redis.pcall('HDEL', queue.sweeps, 'left')
  end
end
if sweep_groups(queue) then more = '1' end
-- Python may have stored a job that waits before its queue was known to anybody, and no worker of ours may ever serve it.
if ARGV.new_queue ~= '' and ARGV.new_queue ~= queue.name then
  local new = queue_named(ARGV.new_queue)
  pcall(sweep_deferred, new, LEAST)
  redis.pcall('EXPIRE', new.sweeps, 86400)
end
local next_turn = redis.call('PTTL', queue.swept)
if next_turn > 0 then next_look = math.min(next_look or next_turn, next_turn) end
