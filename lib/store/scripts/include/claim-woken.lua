--- @include push

-- woken: ids that a blocking read of this worker has moved to the intermediate list. They come first; those for which
-- there is no room go back.
-- Raises when they could not be taken out of the intermediate list, or not go back.
local function claim_woken(queue, claims, woken)
  assure_right('LREM', queue.intermediate)
  assure_right('LPUSH', queue.list)
  redis.call('LLEN', queue.list)
  local there, unclaimed = {}, {}
  for _, id in ipairs(woken) do
    -- Somebody may have put it back already, taking us for dead.
    if redis.call('LPOS', queue.intermediate, id) then
      local list = #there < claims.want and there or unclaimed
      list[#list + 1] = id
    end
  end
  for index = #there, claim(queue, claims, there) + 1, -1 do table.insert(unclaimed, 1, there[index]) end
  push(queue, unclaimed, true)
  for _, id in ipairs(woken) do redis.call('LREM', queue.intermediate, 1, id) end
end
