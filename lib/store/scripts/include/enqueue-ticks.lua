-- The ticks of schedules. A job of a tick is stored only if its schedule still waits for exactly this tick; storing it and
-- going on to the next tick is one step, so that of any number of processes one makes the job.
--
-- check: 'tick MODE REV DUE AT NEXT MISSED OVERLAP SCHEDULE'
--   MODE     'fire' | 'pass' nobody was there, and no job is to be made | 'now' a job beside the ticks
--   DUE      milliseconds since the epoch, as AT and NEXT: the tick that the schedule must wait for
--   AT       what the job is for: DUE, or a later tick when several were missed
--   MISSED   ticks that get no job
--   OVERLAP  '1' | '0' = no job while the last one has not ended

-- id of a schedule -> how it stands, with the steps of this call
local schedules = {}
local UNENDED = { queued = true, scheduled = true, started = true, deferred = true }

local function schedule_of(id)
  local schedule = schedules[id]
  if not schedule then
    local key = prefix .. 'nrq:schedule:' .. id
    local fields = redis.call('HMGET', key, 'rev', 'from', 'last_job')
    local set = prefix .. 'nrq:schedules' .. (fields[2] == 'code' and ':code' or '')
    local due = fields[1] and redis.call('ZSCORE', set, id)
    schedule = { key = key, set = set, rev = fields[1], due = tonumber(due or nil), last_job = fields[3], missed = 0, skipped = 0, jobs = {} }
    schedules[id] = schedule
  end
  return schedule
end

local function text_of(milliseconds) return string.format('%.0f', milliseconds) end

local ticks = {}

-- Why no job is stored for this tick, if none is.
function ticks.refusal(job, check)
  local mode, rev, due, at, next_due, missed, overlap, id = string.match(check, '^tick (%l+) (%x+) (%d+) (%d+) (%d+) (%d+) ([01]) ([%w_-]+)$')
  local schedule = schedule_of(id)
  if not schedule.rev then return 'gone' end
  if mode == 'now' then
    schedule.jobs[#schedule.jobs + 1] = job
    return nil
  end
  due, next_due = tonumber(due), tonumber(next_due)
  if schedule.rev ~= rev or schedule.due ~= due then
    local stands = schedule.due and schedule.due < math.huge and text_of(schedule.due) or ''
    return 'moved ' .. schedule.rev .. ' ' .. stands
  end
  if due > now then return string.format('early %.1f', due - now) end
  if next_due <= due then error('the next tick must be later') end
  schedule.due, schedule.has_moved = next_due, true
  schedule.missed = schedule.missed + tonumber(missed)
  if mode == 'pass' then return 'passed' end
  if overlap == '0' then
    local status = schedule.pending and 'queued'
      or schedule.last_job and redis.pcall('HGET', job_prefix .. schedule.last_job, 'status')
    if type(status) == 'string' and UNENDED[status] then
      schedule.skipped = schedule.skipped + 1
      return 'skipped'
    end
  end
  schedule.pending, schedule.last, schedule.last_job = true, at, job
  schedule.jobs[#schedule.jobs + 1] = job
  return nil
end

-- Enters the jobs that were made, and goes on to the next ticks; the last is what decides.
function ticks.write()
  for id, schedule in pairs(schedules) do
    local jobs = schedule.jobs
    if schedule.rev and (schedule.has_moved or #jobs > 0) then
      local fields = { 'seen', text_of(now) }
      if schedule.last then
        for _, value in ipairs({ 'last', schedule.last, 'last_at', text_of(now) }) do fields[#fields + 1] = value end
      end
      if #jobs > 0 then
        fields[#fields + 1] = 'last_job'
        fields[#fields + 1] = jobs[#jobs]
      end
      redis.call('HSET', schedule.key, unpack(fields))
      if schedule.has_moved then redis.call('ZADD', schedule.set, text_of(schedule.due), id) end
      if schedule.missed > 0 then redis.pcall('HINCRBY', schedule.key, 'missed_ticks', schedule.missed) end
      if schedule.skipped > 0 then redis.pcall('HINCRBY', schedule.key, 'skipped_ticks', schedule.skipped) end
      if #jobs > 0 then
        -- RQ's history of a cron job: the newest 1000, for a year.
        local history, moment = prefix .. 'cron_job:' .. id .. ':jobs', string.format('%.3f', now / 1000)
        local entries = {}
        for _, job in ipairs(jobs) do
          entries[#entries + 1] = moment
          entries[#entries + 1] = job
        end
        pcall(batched, 'ZADD', history, entries)
        redis.pcall('ZREMRANGEBYRANK', history, 0, -1001)
        redis.pcall('EXPIRE', history, 31536000)
        redis.pcall('ZADD', prefix .. 'cron_jobs', moment, id)
      end
    end
  end
end
