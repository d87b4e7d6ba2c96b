--- @include events-listened

-- An event that no worker can tell: fields are text of JSON, ',"reason":"..."', or empty. The name is known of jobs of
-- our own; Python's may be deflated.
local function event_text(kind, id, attempt, fields)
  local data = redis.pcall('HGET', job_prefix .. id, 'data')
  local name = type(data) == 'string' and string.match(data, '^%["([^"\\]*)"') or ''
  return string.format(
    '{"type":"%s","jobId":%s,"name":%s,"attempt":%d,"at":%.0f%s}',
    kind, cjson.encode(id), cjson.encode(name), attempt, now, fields
  )
end
