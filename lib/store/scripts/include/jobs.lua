-- The keys of jobs.
local prefix = ARGV.prefix
local job_prefix = prefix .. 'job:'
local results_prefix = prefix .. 'results:'
local log_prefix = prefix .. 'nrq:log:'

-- Names of groups of which the last pending job has ended in this call: who waits for them is still to be told.
local emptied

-- Whether the look at a job says that its key holds something else. Any other error says nothing about the job.
local function is_not_a_job(reply)
  return type(reply) == 'table' and reply.err and string.find(reply.err, 'WRONGTYPE', 1, true)
end

-- The same, and raises any other error: before the first write.
local function looked_at(reply)
  if type(reply) == 'table' and reply.err and not is_not_a_job(reply) then error(reply) end
  return reply
end

-- All keys of a job, for whoever deletes it, but for the set of those who wait for it: see ended.lua.
local function add_keys_of(id, keys)
  local count, key = #keys, job_prefix .. id
  keys[count + 1] = key
  keys[count + 2] = results_prefix .. id
  keys[count + 3] = log_prefix .. id
  keys[count + 4] = job_prefix .. ':' .. id .. ':dependencies'
end
