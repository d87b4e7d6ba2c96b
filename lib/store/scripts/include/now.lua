-- Redis's clock, the only one that decides leases and due times.
-- now: milliseconds since the epoch, with microseconds as fraction; now_text: the same as RQ reads dates.
local time = redis.call('TIME')
local seconds = tonumber(time[1])
local milliseconds = tonumber(time[2]) / 1000
local now = seconds * 1000 + milliseconds
local now_text
do
  -- Without a function and without math.floor: each call costs as much as ten of these lines.
  local rest = seconds % 86400
  -- Days since 0000-03-01, split into eras of 400 years: leap days then fall at the end of a year.
  local shifted = (seconds - rest) / 86400 + 719468
  local day_of_era = shifted % 146097
  local years = day_of_era - (day_of_era - day_of_era % 1460) / 1460
  years = years + (day_of_era - day_of_era % 36524) / 36524 - (day_of_era - day_of_era % 146096) / 146096
  local year_of_era = (years - years % 365) / 365
  local leaps = (year_of_era - year_of_era % 4) / 4 - (year_of_era - year_of_era % 100) / 100
  local day_of_year = day_of_era - 365 * year_of_era - leaps
  local month_from_march = 5 * day_of_year + 2
  month_from_march = (month_from_march - month_from_march % 153) / 153
  local before = 153 * month_from_march + 2
  local month = month_from_march < 10 and month_from_march + 3 or month_from_march - 9
  now_text = string.format(
    '%d-%02d-%02dT%02d:%02d:%02d.%03dZ',
    year_of_era + (shifted - day_of_era) / 146097 * 400 + (month <= 2 and 1 or 0), month,
    day_of_year - (before - before % 5) / 5 + 1,
    (rest - rest % 3600) / 3600, (rest % 3600 - rest % 60) / 60, rest % 60, milliseconds
  )
end

-- A moment in milliseconds as a registry's score: seconds; rounded up, so that nothing is ever early.
local function score(milliseconds)
  local whole = math.ceil(milliseconds)
  -- Whole numbers are written in half the time.
  if whole >= 0 and whole < 1e15 then
    local thousandths = whole % 1000
    return string.format('%d.%03d', (whole - thousandths) / 1000, thousandths)
  end
  return string.format('%.3f', whole / 1000)
end
