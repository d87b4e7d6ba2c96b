-- Commands to a worker go over a channel of this database. A worker that does not listen there (Python's, one of an
-- older version) is told over RQ's own channel, which all databases share.
local function send_command(worker, command, id)
  local message = cjson.encode({ command = command, job_id = id })
  if redis.pcall('PUBLISH', ARGV.channels .. 'commands:' .. worker, message) ~= 1 then
    redis.pcall('PUBLISH', prefix .. 'pubsub:' .. worker, message)
  end
end
