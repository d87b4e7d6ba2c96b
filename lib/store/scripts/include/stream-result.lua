-- The result of a job of ours, for a child of Python's that looks for it in RQ's stream.

--- @include results

-- Longer ones take too long to encode here; where all results are streamed, those are, too.
local MOST_ENCODED = 65536
local DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

local function base64(text)
  local digit, parts = {}, {}
  for index = 0, 63 do digit[index] = string.sub(DIGITS, index + 1, index + 1) end
  local floor, byte = math.floor, string.byte
  for at = 1, #text, 3 do
    local one, two, three = byte(text, at, at + 2)
    local number = one * 65536 + (two or 0) * 256 + (three or 0)
    parts[#parts + 1] = digit[floor(number / 262144)] .. digit[floor(number / 4096) % 64]
      .. (two and digit[floor(number / 64) % 64] or '=') .. (three and digit[number % 64] or '=')
  end
  return table.concat(parts)
end

local function stream_result(id, result)
  if #result > MOST_ENCODED then return end
  local left = redis.call('TTL', job_prefix .. id)
  if left == -2 then return end
  add_result(id, string.format('%d', left), 'type', STREAMED_FINISHED, 'worker_name', '', 'return_value', base64(result))
end
