-- The keys of jobs.
local prefix = ARGV.prefix
local job_prefix = prefix .. 'job:'
local results_prefix = prefix .. 'results:'

-- All keys of a job, for whoever deletes it.
local function add_keys_of(id, keys)
  keys[#keys + 1] = job_prefix .. id
  keys[#keys + 1] = results_prefix .. id
  keys[#keys + 1] = job_prefix .. id .. ':dependents'
  keys[#keys + 1] = job_prefix .. ':' .. id .. ':dependencies'
end
