-- Events of a queue's jobs, told on a channel of its own; they are made only while somebody listens there.

local function is_listened(channel)
  local counts = redis.pcall('PUBSUB', 'NUMSUB', channel)
  return not counts.err and tonumber(counts[2]) > 0
end

-- An event that no worker can tell: fields are text of JSON, ',"reason":"..."', or empty. The name is known of jobs of
-- our own; Python's may be deflated.
local function event_text(kind, key, id, attempt, fields)
  local data = redis.pcall('HGET', key, 'data')
  local name = type(data) == 'string' and string.match(data, '^%["([^"\\]*)"') or ''
  return string.format(
    '{"type":"%s","jobId":%s,"name":%s,"attempt":%d,"at":%.0f%s}',
    kind, cjson.encode(id), cjson.encode(name), attempt, now, fields
  )
end
