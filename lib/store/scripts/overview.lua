-- Reads how queues stand, for those who watch: numbers of jobs, the age of the oldest that waits, what is overdue.
--
-- KEYS  place     any key: a cluster has to know where the queues are
-- ARGV  prefix     how the names of all keys begin
--       channels   how the names of our channels begin
--       ages       '1' = the ages of the oldest waiting jobs are looked for, '' = they are not
--       queues...  names of queues
-- Reply 1 '1' = RQ is suspended  2 per queue a list: numbers of jobs that are queued, started, scheduled, deferred,
--       finished, failed, canceled, retrying (not due yet), overdue; milliseconds since the first overdue one was due;
--       those since the oldest waiting job was ready, '' = none waits; 1 = the queue is paused; 1 = a job may start now;
--       milliseconds since the oldest job that a limit holds up was ready, '' = none is
-- State nothing is changed

--- @include now
--- @include batched
--- @include queue
--- @include depths
--- @include oldest
--- @include when-may-start

local rows = {}
for index = INDEX.queues, #ARGV do
  local depths, queue = depths_of(ARGV[index])
  local is_common = depths.is_common
  local overdue_for = 0
  if depths.overdue > 0 then
    local head = redis.pcall('ZRANGE', queue.scheduled, 0, 0, 'WITHSCORES')
    if not head.err and head[2] then overdue_for = math.floor(math.max(0, now - tonumber(head[2]) * 1000)) end
  end
  local knows_held, held = true, ''
  if ARGV.ages == '1' and depths.queued > 0 and not is_common and not queue.is_plain then
    knows_held, held = pcall(held_of, queue)
  end
  rows[#rows + 1] = {
    depths.queued, depths.started, depths.scheduled, depths.deferred, depths.finished, depths.failed, depths.canceled,
    depths.retrying, depths.overdue, overdue_for,
    ARGV.ages == '1' and depths.queued > 0 and oldest_of(queue, is_common) or '',
    is_common and 0 or count_of(redis.pcall('EXISTS', queue.paused)),
    is_common and math.min(depths.queued, 1) or may_start(queue),
    knows_held and held or '',
  }
end
-- RQ's suspension mark. A process without a worker need not be allowed to see it.
local is_suspended = count_of(redis.pcall('EXISTS', prefix .. 'suspended')) == 1
return { is_suspended and '1' or '', rows }
