-- Children that wait for one parent and for no time: nearly all of a parent of very many. `nrq_given` says of them that they
-- do (s), and the registry in which they wait tells their queue. Nothing else of them is looked up, and one command does for
-- many what Redis has such a command for. A part of ended.lua.

do
  local LEVELS = { h = 'high', b = 'low' }
  -- How many queues are looked for in one page.
  local MOST_QUEUES = 4

  -- Those that are marked so, and others. given: id -> its mark
  local function marked_of(ids)
    local marked, given, rest = {}, {}, {}
    for index = 1, #ids do
      local id = ids[index]
      local mark = redis.pcall('HGET', job_prefix .. id, 'nrq_given')
      if type(mark) == 'string' and string.find(mark, 's', 1, true) and not hung.waiting[id] then
        marked[#marked + 1] = id
        given[id] = mark
      else
        rest[#rest + 1] = id
      end
    end
    return marked, given, rest
  end

  -- Releases those of a queue that wait there. Raises before anything is written. Answers the others.
  local function release_of(queue, ids, given, writes, gone)
    assure_child({ queue = queue }, 'list', { 'LPUSH', 'RPUSH' })
    -- The registry says whether they wait: Python may write any status.
    local scores = redis.call('ZMSCORE', queue.deferred, unpack(ids))
    local released, sets, others = {}, {}, {}
    for index = 1, #ids do
      local id = ids[index]
      if scores[index] then
        released[#released + 1] = id
        sets[#sets + 1] = dependencies_key(id)
        local level = string.match(given[id], '[hb]')
        if level then note_level(queue, id, LEVELS[level]) end
      else
        others[#others + 1] = id
      end
    end
    if #released > 0 then
      queue_up_all(queue, released, false, nil, false, writes)
      redis.call('ZREM', queue.deferred, unpack(released))
      redis.call('DEL', unpack(sets))
    end
    for index = 1, #released do gone[#gone + 1] = released[index] end
    return others
  end

  -- Answers the ids of those that are still to be told. gone: those that have been are added here
  function hung.release_together(entry, ids, gone)
    if entry.how ~= 'finished' or #ids < 3 or groups.named_by(entry.id) then return ids end
    local before = #gone
    local marked, given, rest = marked_of(ids)
    -- What is written into the hash of one that is told: they are ours.
    local child = { if_failed = true, handing = {} }
    if #marked > 0 then handed.hand_over(entry, child) end
    for _ = 1, MOST_QUEUES do
      if #marked == 0 then break end
      local first = marked[1]
      local origin = redis.pcall('HGET', job_prefix .. first, 'origin')
      if type(origin) ~= 'string' then break end
      local worked, others = pcall(release_of, queue_named(origin), marked, given, child.handing, gone)
      -- A bad place is that of its queue alone: each is looked at by itself then.
      if not worked then break end
      if others[1] == first then rest[#rest + 1] = table.remove(others, 1) end
      marked = others
    end
    for index = 1, #marked do rest[#rest + 1] = marked[index] end
    hung.steps = hung.steps + (#gone - before) * 0.25
    return rest
  end
end
