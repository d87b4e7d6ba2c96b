--- @include push

-- woken: ids that a blocking read of this worker has moved to the intermediate list. They come first; those for which
-- there is no room go back.
local function claim_woken(queue, claims, woken)
  local there, unclaimed = {}, {}
  for _, id in ipairs(woken) do
    -- Somebody may have put it back already, taking us for dead.
    if type(redis.pcall('LPOS', queue.intermediate, id)) == 'number' then
      local list = #there < claims.want and there or unclaimed
      list[#list + 1] = id
    end
  end
  for index = #there, claim(queue, claims, there) + 1, -1 do table.insert(unclaimed, 1, there[index]) end
  local is_back, problem = pcall(push, queue, unclaimed, true)
  if not is_back then
    -- They stay where they are, and are found there.
    claims.failure = type(problem) == 'table' and problem.err or tostring(problem)
    return
  end
  for _, id in ipairs(woken) do redis.pcall('LREM', queue.intermediate, 1, id) end
end
