-- How often workers died of a job in a row. The mark is the number and the moment at which the job was put back for
-- that reason: whoever else puts it into the queue (Python's requeue) writes another `enqueued_at`, and the mark is void.
-- Python writes six digits behind the second, we write three.
local function crash_mark(crashes) return string.format('%d %s', crashes, now_text) end

local function crashes_of(mark, enqueued_at)
  local crashes, at = string.match(mark or '', '^(%d+) ?(.*)$')
  if not crashes then return 0 end
  if at ~= '' and string.sub(at, 1, 23) ~= string.sub(enqueued_at or '', 1, 23) then return 0 end
  return tonumber(crashes)
end
