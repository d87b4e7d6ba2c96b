-- Looks at the jobs of a call, and says of each what is to be done with it. Nothing is changed. A part of control.lua.

-- What keeps a call below 5 ms is the clock, and a count of its work where there is none.
local BUDGET, work = 1200, 0
local function spend(amount) work = work + amount end

--- @include date-text
--- @include where-queued

-- An entry so far back in the queue takes longer to reach.
local FAR_BACK = 1000
-- Bytes of data that only the caller can read.
local DATA_SHOWN = 1024

local ALREADY = { cancel = 'canceled', stop = 'stopped', requeue = 'queued', promote = 'queued' }
-- What a job says of when it came to where it is.
local SINCE = { queued = 'enqueued_at', started = 'started_at', deferred = 'created_at' }
local FIELDS = { 'status', 'failure_ttl' }
if ARGV.after ~= '' or ARGV.before ~= '' then
  FIELDS[3], FIELDS[4] = SINCE[place] or 'ended_at', 'created_at'
elseif action ~= 'cancel' then
  FIELDS[2] = nil
end
-- Where in the answer each of the further fields stands that this action needs.
local AT = {}
for _, name in ipairs(({
  cancel = { 'nrq_crashes' },
  requeue = { 'nrq_canceled_by', 'nrq_unique', 'group_id', 'nrq_level' },
  delete = { 'dependency_ids', 'dependency_id', 'nrq_after_group' },
})[action] or {}) do
  FIELDS[#FIELDS + 1] = name
  AT[name] = #FIELDS
end
local COST = 3
if action == 'requeue' and ARGV.retries ~= '' then COST = 5 end
if action == 'delete' then COST = ARGV.keep == '' and 4 or 12 end
if (action == 'cancel' or action == 'delete') and is_listened(queue) then COST = 6 end

local function answer_for(status)
  local is_possible = true
  if status == ALREADY[action] then return 'already' end
  if action == 'cancel' then
    is_possible = not has_ended(status)
  elseif action == 'stop' then
    is_possible = status == 'started'
  elseif action == 'requeue' then
    is_possible = has_ended(status) and (status ~= 'finished' or ARGV.finished == '1')
  elseif action == 'promote' then
    is_possible = status == 'scheduled' or status == 'deferred'
  end
  -- An entry that is out of date does not say where the job stands.
  local stands_there = place == '' or place == status or (place == 'failed' and status == 'stopped')
  if is_possible and stands_there then return 'done' end
  return status == 'started' and 'running' or 'refused'
end

local AFTER, BEFORE = tonumber(ARGV.after), tonumber(ARGV.before)

local function is_in_time(job, due)
  if not AFTER and not BEFORE then return true end
  if place == 'scheduled' then
    local moment = tonumber(due) * 1000
    return (not AFTER or moment >= AFTER) and (not BEFORE or moment < BEFORE)
  end
  -- Python's may be empty.
  local date = job[3] and job[3] ~= '' and job[3] or job[4]
  if not date or #date < 20 then return false end
  -- Python writes six digits behind the second, or none.
  date = string.sub(date, 1, 19) .. (string.sub(date, 20, 20) == '.' and string.sub(date, 20, 23) or '.000') .. 'Z'
  return (not AFTER or date >= ARGV.after_date) and (not BEFORE or date < ARGV.before_date)
end

-- Answers nothing when only the caller can read it: the data are deflated.
local function has_name(id, unread)
  if ARGV.name == '' then return true end
  local data = redis.call('HGET', job_prefix .. id, 'data') or ''
  -- Redis copies it all.
  spend(1 + #data / 20000)
  if string.byte(data) == 0x78 then
    unread[#unread + 1] = id
    unread[#unread + 1] = string.sub(data, 1, DATA_SHOWN)
    return nil
  end
  local from = string.match(data, '^%s*%[%s*()')
  return from ~= nil and string.sub(data, from, from + #ARGV.name - 1) == ARGV.name
end

-- Whether it is to be looked for in the list of the queue: a job of another status stands there only by mistake, which
-- is put right when one job alone is asked for.
local function may_be_queued(queue, job, is_alone)
  if has_ended(job.status) then return false end
  if place ~= '' then return place == 'queued' end
  if is_alone then return true end
  if job.executions then return false end
  if job.status ~= 'scheduled' and job.status ~= 'deferred' then return true end
  spend(1)
  return not redis.call('ZSCORE', queue[job.status], job.id)
end

-- Answers what is said of it, and the job when there is one.
local function look_at(queue, selection, index, unread)
  local id = selection.ids[index]
  local key = job_prefix .. id
  local fields = looked_at(redis.pcall('HMGET', key, unpack(FIELDS)))
  if fields.err then return 'missing' end
  local status = fields[1] or 'queued'
  if not fields[1] or action == 'requeue' or action == 'promote' then
    if redis.call('HSTRLEN', key, 'data') == 0 then return 'missing' end
  end
  local executions = holders_of(queue)[id]
  -- Of RQ's next version: they wait, and not for a worker.
  if status == 'rate_limited' or status == 'ready_to_enqueue' then status = 'deferred' end
  if executions and not stands_at_end(queue, id, status) then status = 'started' end
  -- RQ leaves a job that waits for its next round with the status of the last one.
  if status == 'finished' and redis.call('ZSCORE', queue.scheduled, id) then status = 'scheduled' end
  local job = { id = id, status = status, executions = executions, failure_ttl = fields[2], index = index }
  if not is_in_time(fields, selection.scores[index]) then return 'passed', job end
  local is_named = has_name(id, unread)
  if is_named == nil then return 'unread', job end
  if not is_named then return 'passed', job end
  local answer = answer_for(status)
  -- One that was canceled because of another waits for that again as soon as it is requeued.
  local parent = place == 'canceled' and fields[AT.nrq_canceled_by]
  if parent and redis.pcall('HGET', job_prefix .. parent, 'status') == 'canceled' then answer = 'refused' end
  if action == 'requeue' then
    job.is_canceled_by = fields[AT.nrq_canceled_by]
    job.is_unique = fields[AT.nrq_unique]
    if job.is_unique then spend(3) end
    job.is_member = fields[AT.group_id] and fields[AT.group_id] ~= ''
    if job.is_member then spend(2) end
    job.level = fields[AT.nrq_level]
  elseif action == 'cancel' then
    job.is_unhurt = not fields[AT.nrq_crashes]
  elseif action == 'delete' then
    job.has_parents = fields[AT.dependency_ids] or fields[AT.dependency_id] or fields[AT.nrq_after_group]
    if job.has_parents then spend(2) end
  end
  if answer == 'done' and (action == 'cancel' or action == 'delete') then
    local lane_length = not queue.is_plain and not job.executions and status == 'queued' and queue.lanes.length_of(id)
    if lane_length then
      job.in_lane = true
      spend(3 + lane_length / 250)
    elseif may_be_queued(queue, job, #selection.ids == 1) then
      if #selection.ids > 1 or place ~= '' then job.place = place_in_queue(queue, selection, index) end
      job.is_searched = not job.place
      if job.is_searched then
        spend(redis.call('LLEN', queue.list) / 250)
      elseif job.place > FAR_BACK then
        spend(2)
      end
    end
  end
  return answer, job
end

local ENDED = { finished = true, failed = true, canceled = true }

-- Milliseconds of a call, of which changing a job takes twice as long as looking at it. The clock is looked at after so
-- much work.
local is_spent
do
  local MOST, PAUSE = 4, 40
  local next_look = PAUSE

  function is_spent(found)
    if work > BUDGET then return true end
    if work < next_look then return false end
    next_look = work + PAUSE
    return hung.milliseconds_run() * (1 + 2 * #found.jobs / math.max(1, found.looked)) > MOST
  end
end

-- looked: how many; jobs: those that are to be changed; missing: ids without a job; answers: answer -> count;
-- stay, last: how many still stand in the place afterwards, and the last of them
local function look_at_jobs(queue, selection)
  local found = { looked = 0, jobs = {}, missing = {}, answers = {}, stay = 0, last = '', status = '', unread = {} }
  local is_seen = {}
  local most = tonumber(ARGV.most)
  -- To find the place in a long queue, and to take something out there, is a way along the list.
  if place == 'queued' or place == '' then spend(selection.first / 300) end
  for index, id in ipairs(selection.ids) do
    if #found.jobs >= most or is_spent(found) then break end
    spend(1)
    local answer, job = 'already', nil
    if not is_seen[id] then answer, job = look_at(queue, selection, index, found.unread) end
    is_seen[id] = true
    if job then found.status = job.status end
    if answer == 'done' then
      found.jobs[#found.jobs + 1] = job
      spend(COST + (job.executions and 5 or 0))
    elseif answer == 'missing' then
      found.missing[#found.missing + 1] = id
    end
    if answer ~= 'done' and (answer ~= 'missing' or not ENDED[place]) then
      found.stay, found.last, found.last_index = found.stay + 1, selection.entries[index], index
    end
    found.answers[answer] = (found.answers[answer] or 0) + 1
    found.looked = index
  end
  return found
end
