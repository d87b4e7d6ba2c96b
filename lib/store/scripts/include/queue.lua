--- @include jobs

-- A queue: a table made from its name, whose keys and channels are made when they are first asked for. No name is
-- ever cut out of a key.
local function key_of_queue(queue, what)
  local name = queue.name
  local key
  if what == 'list' then
    key = prefix .. 'queue:' .. name
  elseif what == 'intermediate' then
    key = prefix .. 'queue:' .. name .. ':intermediate'
  elseif what == 'started' then
    key = prefix .. 'wip:' .. name
  elseif what == 'scheduled' or what == 'finished' or what == 'failed' or what == 'canceled' or what == 'deferred' then
    key = prefix .. what .. ':' .. name
  elseif what == 'scheduler_lock' then
    key = prefix .. 'scheduler-lock:' .. name
  elseif what == 'watched' then
    key = prefix .. 'nrq:waiting:' .. name
  elseif what == 'paused' or what == 'stops' or what == 'popped' or what == 'late' or what == 'alive' or what == 'grace'
    or what == 'ended' or what == 'swept' or what == 'sweeps' or what == 'hung' or what == 'unique' or what == 'flags'
    or what == 'gates' or what == 'asleep' or what == 'timer' or what == 'untold' or what == 'retrying' or what == 'full' then
    key = prefix .. 'nrq:' .. what .. ':' .. name
  elseif what == 'key_limits' then
    key = prefix .. 'nrq:key-limits:' .. name
  elseif what == 'stats' or what == 'deleted' then
    key = prefix .. 'nrq:' .. what .. ':' .. name .. ':'
  elseif what == 'high' or what == 'low' then
    key = prefix .. 'queue:' .. name .. '!' .. what
  elseif what == 'wake' or what == 'settled' or what == 'events' then
    key = ARGV.channels .. what .. ':' .. name
  -- What follows are no keys, but what else is known of a queue.
  elseif what == 'levels' or what == 'closes_later' then
    -- levels: id -> 'high' | 'low', of jobs that may be put into it (see note-level.lua)
    -- closes_later: what is done to lanes is closed when the whole call is done
    key = false
  elseif what == 'is_plain' then
    -- Nothing about it is out of the ordinary (see keyspace.ts): the path of most queues asks nothing further.
    key = redis.call('EXISTS', queue.flags) == 0
  elseif what == 'lanes' then
    -- Made for this queue when it is first asked for: that costs as much as some commands.
    --- @include lanes
    key = setmetatable({
      gate_named = gate_named, lane_in = lane_in, lane_by_name = lane_by_name, lane_of_new = lane_of_new, put = put,
      append = append,
      left = left, touch = touch, look_again = look_again, close = close, running_of = running_of,
      limits_of = limits_of, whole_queue = whole_queue, room_of_queue = room_of_queue, room_in = room_in,
      note_starts = note_starts, close_gates = write_openings, open_gates = open_gates, note_queue_starts = note_queue_starts, micros = micros,
      now_micros = now_micros, opening_of = opening_of, gathers = gathers, gathers_until = gathers_until,
      gather_anew = gather_anew, forget = forget_lanes, hold_key = hold_key, waits_for_retry = waits_for_retry,
      text_of_new = text_of_new, wake_all = wake_all,
    }, { __index = function(_, what) return further_of_lanes()[what] end })
  else
    error('a queue has no key ' .. what)
  end
  queue[what] = key
  return key
end

local queue_methods = { __index = key_of_queue }
-- keys: the name, and the keys that are known already or surely needed: made at once they cost less.
local function queue_of(keys) return setmetatable(keys, queue_methods) end
