-- How long a call has run, for a part that is bounded by the clock. TIME stands still within a script from Redis 7.2 on;
-- newer ones have the processor's clock in its place. Where there is neither, the counts of work are all that bounds it.

local milliseconds_run
do
  local is_there, read = pcall(function() return os.clock end)
  if is_there and read then
    local began = read()
    milliseconds_run = function() return (read() - began) * 1000 end
  else
    milliseconds_run = function()
      local time = redis.call('TIME')
      return (tonumber(time[1]) - seconds) * 1000 + tonumber(time[2]) / 1000 - milliseconds
    end
  end
end
