-- When a job became ready to run, from the date that RQ writes.

-- Text of a day -> milliseconds since the epoch at its midnight: most jobs of a call are of one day.
local midnights = {}

local function midnight_of(day)
  local year, month, date = string.match(day, '^(%d%d%d%d)%-(%d%d)%-(%d%d)$')
  -- Days since 0000-03-01: leap days then fall at the end of a year.
  local years = tonumber(year) - (tonumber(month) <= 2 and 1 or 0)
  local months = (tonumber(month) + 9) % 12
  local days = 365 * years + math.floor(years / 4) - math.floor(years / 100) + math.floor(years / 400)
    + math.floor((153 * months + 2) / 5) + tonumber(date) - 1 - 719468
  midnights[day] = days * 86400000
  return midnights[day]
end

local function is_date(text) return string.find(text, '^%d%d%d%d%-%d%d%-%d%dT%d%d:%d%d:%d%d') end

-- Milliseconds since the epoch of a date as RQ writes it. Read by its bytes: a zero is 48, and texts are dear.
local function moment_of(date)
  local day = string.sub(date, 1, 10)
  local h, hh, _, m, mm, _, s, ss, _, t, tt, ttt = string.byte(date, 12, 23)
  local moment = (midnights[day] or midnight_of(day))
    + (h * 10 + hh - 528) * 3600000 + (m * 10 + mm - 528) * 60000 + (s * 10 + ss - 528) * 1000
  if not ttt or ttt < 48 or ttt > 57 then return moment end
  return moment + t * 100 + tt * 10 + ttt - 5328
end

-- When a job became ready, as RQ writes it; nothing when it does not say.
local function ready_since(id)
  local date = redis.pcall('HGET', job_prefix .. id, 'enqueued_at')
  if type(date) ~= 'string' or date == '' then date = redis.pcall('HGET', job_prefix .. id, 'created_at') end
  return type(date) == 'string' and date or nil
end
