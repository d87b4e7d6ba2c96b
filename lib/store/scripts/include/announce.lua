-- Tells those who wait for a job's result that it is settled, with the text, since the hash may be gone at once.
-- waiting: set of the ids that somebody waits for; message: ID STATUS ENCODING TEXT, the encoding being
-- 'json' or 'base64' (of JSON) for a result, 'text' for a failure or a reason
local function announce(waiting, channel, id, status, encoding, text)
  if redis.call('SREM', waiting, id) == 1 then
    redis.call('PUBLISH', channel, id .. ' ' .. status .. ' ' .. encoding .. ' ' .. text)
  end
end
