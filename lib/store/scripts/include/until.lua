-- A time from now in milliseconds, as a reply.
-- '' stands for none, and for one that no timer could wait for.
local function milliseconds_until(moment)
  if not moment or moment ~= moment or moment > 1e15 then return '' end
  return string.format('%.1f', math.max(0, moment - now))
end
