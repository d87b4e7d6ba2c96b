-- Tells those who wait for a job's result that it is settled.
-- The text of the result travels along, since the hash may be gone at once.
-- The message: ID STATUS ENCODING TEXT, the encoding being 'json' or 'base64' (of JSON) for a result, 'text' for a
-- failure or a reason.
local function announce(queue, id, status, encoding, text)
  if redis.pcall('SREM', queue.watched, id) == 1 then
    redis.pcall('PUBLISH', queue.settled, id .. ' ' .. status .. ' ' .. encoding .. ' ' .. text)
  end
end
