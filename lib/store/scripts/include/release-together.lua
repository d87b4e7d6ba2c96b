-- Children that wait for one parent and for no time: nearly all of a parent of very many. Of them nothing is looked up, and
-- one command does for many what Redis has such a command for. A part of ended.lua.

do
  -- What is written into the hash of one that is told.
  local function writes_for(entry, is_ours)
    local child = { if_failed = is_ours, handing = {} }
    handed.hand_over(entry, child)
    return child.handing
  end

  -- Raises before anything is written. lot: children of one queue that go to the same end of it
  local function release_lot(entry, queue, lot)
    assure_child({ queue = queue }, 'list', { 'LPUSH', 'RPUSH' })
    local ids, released, sets = lot.ids, {}, {}
    -- The registry says whether they wait: Python may write any status.
    local scores = redis.call('ZMSCORE', queue.deferred, unpack(ids))
    for index, id in ipairs(ids) do
      sets[index] = dependencies_key(id)
      if scores[index] then released[#released + 1] = id end
    end
    if #released > 0 then
      for id, level in pairs(lot.levels) do note_level(queue, id, level) end
      queue_up_all(queue, released, lot.front, {}, false, writes_for(entry, lot.is_ours))
      batched('ZREM', queue.deferred, released)
    end
    batched('DEL', nil, sets)
  end

  -- Sorts those into lots that may be released so. Answers the others.
  local function lots_of(entry, ids)
    local rest, lots = {}, {}
    for _, id in ipairs(ids) do
      local job = redis.pcall('HMGET', job_prefix .. id, 'status', 'origin', 'nrq_if_failed', 'enqueue_at_front', 'nrq_delay',
        'nrq_level', 'dependency_ids', 'nrq_after_group')
      local waits_for = job[8] and '@' .. job[8] or job[7]
      if job[1] == 'deferred' and waits_for == entry.waits_for and job[2] and not job[5] and not hung.waiting[id] then
        local front, is_ours = job[4] == '1', job[3] and true
        local name = (front and 'f' or 'b') .. (is_ours and 'o' or 'p') .. job[2]
        local lot = lots[name]
        if not lot then
          lot = { origin = job[2], front = front, is_ours = is_ours, ids = {}, levels = {} }
          lots[name] = lot
        end
        lot.ids[#lot.ids + 1] = id
        if job[6] then lot.levels[id] = job[6] end
      else
        rest[#rest + 1] = id
      end
    end
    return rest, lots
  end

  -- Answers the ids of those that are still to be told. gone: those that have been are added here
  function hung.release_together(entry, ids, gone)
    if entry.how ~= 'finished' or #ids < 3 then return ids end
    entry.waits_for = entry.waits_for or groups.named_by(entry.id) and entry.id or cjson.encode({ entry.id })
    local before, rest, lots = #gone, lots_of(entry, ids)
    for _, lot in pairs(lots) do
      -- A bad place is that of its queue alone: each of them is looked at by itself then.
      local list = pcall(release_lot, entry, queue_named(lot.origin), lot) and gone or rest
      for _, id in ipairs(lot.ids) do list[#list + 1] = id end
    end
    hung.steps = hung.steps + (#gone - before) * 0.5
    return rest
  end
end
