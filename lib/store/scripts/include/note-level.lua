-- From now on it is known in this call that a job is of a level, so that it is put there. level: false, nil = of none
local function note_level(queue, id, level)
  if level ~= 'high' and level ~= 'low' then return end
  if not queue.levels then queue.levels = {} end
  queue.levels[id] = level
end
