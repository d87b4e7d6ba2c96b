-- Workers that wait for work wait at RQ's list, whatever else the queue consists of. While that is empty, one job of a level
-- stands there, so that one of them wakes: the bell. The next exchange puts it back to where it came from.
local function ring(queue)
  if redis.call('LLEN', queue.list) > 0 then return end
  for _, level in ipairs({ 'high', 'low' }) do
    local id = redis.call('LMOVE', queue[level], queue.list, 'LEFT', 'RIGHT')
    if id then
      redis.call('HSET', queue.flags, 'bell', level .. ' ' .. id)
      return
    end
  end
end
