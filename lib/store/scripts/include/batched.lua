-- Runs one command with any number of values: unpack() has a limit near 8000. Without a key, the values are the keys.
local function batched(command, key, values)
  for first = 1, #values, 4000 do
    local last = math.min(first + 3999, #values)
    if key then
      redis.call(command, key, unpack(values, first, last))
    else
      redis.call(command, unpack(values, first, last))
    end
  end
end
