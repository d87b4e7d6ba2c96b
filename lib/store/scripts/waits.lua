-- Tells what keeps a job from starting now, for those who look.
--
-- KEYS  paused    that the queue is paused
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       id        of the job
-- Reply 1 status of the job, '' = there is none  2 1 = the queue is paused  3 1 = RQ is suspended  4 when it is due,
--       milliseconds since the epoch, '' = it waits for no time  5 its handler, '' = it stands in no lane  6 its key
--       7 what stops it, the nearest first: why, what has the limit ('key', 'handler', 'queue'), how much is used, how much
--       that may be, in how many milliseconds, from when on it may start ('' = not known), the job that it waits for, ...
-- State nothing is changed but for what is over

--- @include now
--- @include batched
--- @include queue
--- @include limit-uses

local queue = queue_of({ name = ARGV.queue, paused = KEYS.paused })
local job = redis.pcall('HMGET', job_prefix .. ARGV.id, 'status', 'nrq_lane', 'data')
if job.err or not job[1] then return { '', 0, 0, '', '', '', {} } end
-- RQ's suspension mark. A process without a worker need not be allowed to see it.
local is_suspended = redis.pcall('EXISTS', prefix .. 'suspended')
local due = redis.call('ZSCORE', queue.scheduled, ARGV.id)
local rows, gate, key = {}, nil, nil

local function add(stops)
  for _, stop in ipairs(stops) do
    local row = { stop.why, stop.scope, stop.used, stop.max, stop.per, moment_text(stop.opens), stop.awaited or '' }
    for _, value in ipairs(row) do rows[#rows + 1] = value end
  end
end

if job[1] == 'queued' and not queue.is_plain then
  local text = queue.lanes.text_of_new(job[2], job[3] or '')
  if text then gate, key = queue.lanes.lane_in(text) end
  if gate then
    add(stops_of_lane(queue, gate, key, math.huge))
  else
    local stops = {}
    add_stops(stops, uses_of_queue(queue))
    add(stops)
  end
end
return {
  job[1], redis.call('EXISTS', queue.paused), type(is_suspended) == 'number' and is_suspended or 0,
  due and moment_text(tonumber(due) * 1000) or '', gate and gate.name or '', key or '', rows,
}
