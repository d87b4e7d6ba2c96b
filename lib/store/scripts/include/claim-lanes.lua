-- Claims what is in lanes of a gate, many lanes together: for serve-lanes.lua. Each is looked at first, then what was found
-- is claimed in one step, and then each lane says when it is to be looked at again.

-- Looks at a lane: `ids`, the jobs at its head that may start; or `opens`, when it is to be looked at again.
local function look_at_lane(gate, key, most)
  local limits = lanes.limits_of(gate, key)
  local look, opens = { key = key, limits = limits }, nil
  if limits.per_key then
    look.running = lanes.running_of(gate, key)
    most = math.min(most, limits.per_key - look.running)
  end
  if limits.key_rate then
    local left
    left, look.starts, opens = lanes.room_in(gate.rates .. tab .. key, limits.key_rate, limits.key_per)
    most = math.min(most, left)
  end
  if limits.rests then
    look.opens = limits.rests
  elseif gate.batch and lanes.gathers_until(gate, key) then
    look.opens = lanes.gathers_until(gate, key)
  elseif gate.is_strict and lanes.waits_for_retry(gate, key) then
    look.opens = for_ever
  elseif most <= 0 then
    local is_full = look.running and look.running >= limits.per_key
    look.opens = not is_full and opens or limits.ends or for_ever
  else
    -- One more tells whether there are more.
    local ids = redis.call('LRANGE', gate.lane .. key, '0', most == 1 and '1' or most)
    look.has_more = #ids > most
    if look.has_more then ids[#ids] = nil end
    look.ids = ids
  end
  return look
end

-- The ids that were found in lanes, in turn: the first of each, the second of each, ... And of which lane each is.
local function in_turn(looks)
  local ids, owners, round, is_over = {}, {}, 0, false
  while not is_over do
    round, is_over = round + 1, true
    for _, look in ipairs(looks) do
      local id = look.ids[round]
      if id then
        is_over = false
        ids[#ids + 1], owners[#owners + 1] = id, look
      end
    end
  end
  return ids, owners
end

-- Takes what was found in lanes off their heads. Each look then says how many of its ids were `taken`, and how many of
-- those are claimed (`count`); and, when a lane has to wait with what is at its head (a suspect), until when (`rests`).
local function claim_found(claims, gate, looks)
  local ids, owners = in_turn(looks)
  local in_batch = sizes[gate.name] and gate.batch and tab .. string.format('%d', claims.number) or ''
  for _, look in ipairs(looks) do
    look.taken, look.count, look.text, look.place = 0, 0, gate.name .. tab .. look.key .. in_batch, look.key .. tab
  end
  local before = #claims.jobs
  claims.waits_in_lane, claims.in_batch = true, in_batch ~= ''
  local taken, leases = claim(queue, claims, ids)
  claims.waits_in_lane, claims.in_batch = nil, nil
  if claims.failure == 'suspect' then
    -- It keeps its place, and nobody of its lane passes it.
    claims.failure, owners[taken + 1].rests = '', now + tonumber(ARGV.suspect_delay)
  end
  local holders, claimed = {}, 0
  for index = 1, taken do
    local look, values = owners[index], claims.jobs[before + claimed + 1]
    look.taken = look.taken + 1
    if values and values[CLAIM_FIELD_COUNT + 1] == ids[index] then
      claimed, look.count = claimed + 1, look.count + 1
      -- In the place of the status, which is known.
      values[CLAIM.status] = look.text
      holders[2 * claimed - 1], holders[2 * claimed] = '0', look.place .. leases[2 * claimed]
    end
  end
  batched('ZADD', gate.held, holders)
  for _, look in ipairs(looks) do
    if look.taken > 0 then redis.call('LTRIM', gate.lane .. look.key, look.taken, '-1') end
  end
  lanes.left(taken)
end

-- When a lane of which jobs were taken is to be looked at again; nothing: it is empty.
local function opens_after(gate, look)
  local limits, count, running, starts = look.limits, look.count, look.running, look.starts
  local rates = starts and gate.rates .. tab .. look.key
  if starts and count > 0 then lanes.note_starts(rates, starts, count, limits.key_rate, limits.key_per) end
  if look.rests then return look.rests end
  if not look.has_more and look.taken == #look.ids then return nil end
  if running and running + count >= limits.per_key then return limits.ends or for_ever end
  if starts then
    local left, _, at = lanes.room_in(rates, limits.key_rate, limits.key_per)
    if left <= 0 then return at or for_ever end
  end
  return gate.batch and lanes.gather_anew(gate, look.key) or now
end

-- The score of a lane that was served now and is still open: behind all that were served before it, in this call too, and
-- not after it. Each lane that is served costs some microseconds, so that those of the call before have smaller ones.
local served_so_far = 0
local function next_turn(claims)
  served_so_far = served_so_far + 1
  return string.format('%.0f', now * 1000 - math.max(0, claims.asked - served_so_far))
end

-- Claims what was found in these lanes, and notes when each is to be looked at again. Answers how many jobs were claimed,
-- how many ids were dropped, and in how many lanes there was something.
local function serve_lanes(claims, gate, looks)
  local scores, empty, found, taken, dropped, served = {}, {}, {}, 0, 0, 0
  for _, look in ipairs(looks) do
    if look.ids then found[#found + 1] = look end
  end
  if #found > 0 then claim_found(claims, gate, found) end
  for _, look in ipairs(looks) do
    local opens, is_reached = look.opens, true
    if look.ids then
      -- What was found in a lane and not reached is there as it was.
      is_reached = look.taken > 0 or #look.ids == 0 or look.rests
      opens = is_reached and opens_after(gate, look)
      taken, dropped = taken + look.count, dropped + look.taken - look.count
      if look.count > 0 then served = served + 1 end
    end
    if opens then
      scores[#scores + 1] = opens == now and next_turn(claims) or micros(opens)
      scores[#scores + 1] = look.key
    elseif is_reached then
      empty[#empty + 1] = look.key
    end
  end
  batched('ZADD', gate.lanes, scores)
  lanes.forget(gate, empty)
  return taken, dropped, served
end
