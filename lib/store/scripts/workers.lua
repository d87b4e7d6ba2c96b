-- Reads the workers that show themselves, for those who watch. A worker whose hash is gone is left out.
--
-- KEYS  workers    set of the keys of all workers
-- ARGV  prefix     how the names of all keys begin
--       fields...  names of fields of a worker's hash
-- Reply 1 Redis's clock in milliseconds  2 per worker a list: its key, values of the fields ('' = none)
-- State nothing is changed

--- @include now

-- Keeps one call short; nobody has so many.
local MOST = 1000

local fields = {}
for index = INDEX.fields, #ARGV do fields[#fields + 1] = ARGV[index] end
local rows = {}
local keys = redis.call('SMEMBERS', KEYS.workers)
for index = 1, math.min(#keys, MOST) do
  local values = redis.pcall('HMGET', keys[index], unpack(fields))
  if not values.err then
    local row, is_there = { keys[index] }, false
    for at = 1, #fields do
      is_there = is_there or values[at]
      row[at + 1] = values[at] or ''
    end
    if is_there then rows[#rows + 1] = row end
  end
end
return { string.format('%.0f', now), rows }
