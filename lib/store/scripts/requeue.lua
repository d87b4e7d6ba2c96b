-- Puts many failed, stopped or canceled jobs back into the queue.
--
-- They are given by their ids, or are those of a registry in its order.
--
-- Flags allow-oom
-- KEYS  list      the queue
-- ARGV  prefix    how the names of all keys begin
--       channels  how the names of our channels begin
--       queue     name of the queue
--       registry  'failed' | 'canceled', '' = the ids are given
--       offset    how many entries of the registry are to be passed over
--       slice     how many entries to look at at most
--       most      how many jobs to put back at most
--       ids...    the ids, without a registry
-- Reply 1 how many were put back  2 how many entries could not be and stay where they are  3 how many were looked at
--       4 entries in the registry before
--       5 1 = children are still to be told (see release.lua), 0 = none
-- State ids without a job are in neither registry any more, so that they are in nobody's way

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include ended
--- @include unique
--- @include requeue

local queue = queue_of({ name = ARGV.queue })
local ids, entries = {}, 0
if ARGV.registry == '' then
  for index = INDEX.ids, #ARGV do ids[#ids + 1] = ARGV[index] end
else
  local offset = tonumber(ARGV.offset)
  entries = redis.call('ZCARD', queue[ARGV.registry])
  ids = redis.call('ZRANGE', queue[ARGV.registry], offset, offset + tonumber(ARGV.slice) - 1)
end

assure_requeue(queue)
-- Whether somebody holds its lease.
local running
local function is_running(id)
  if not running then
    running = {}
    for _, member in ipairs(redis.call('ZRANGE', queue.started, 0, -1)) do
      running[string.match(member, '^(.*):') or member] = true
    end
  end
  return running[id]
end

local most = tonumber(ARGV.most)
local requeued, stay, looked, gone = 0, 0, 0, {}
for _, id in ipairs(ids) do
  if requeued == most then break end
  looked = looked + 1
  local job = looked_at(redis.pcall('HMGET', job_prefix .. id, 'status', 'data'))
  if job.err or not job[2] then
    gone[#gone + 1] = id
  elseif can_be_requeued(job[1]) and (stands_at_end(queue, id, job[1]) or not is_running(id))
    and not take_key_again(queue, id) then
    requeue(queue, id, false)
    pending_again(queue, id)
    requeued = requeued + 1
  else
    stay = stay + 1
  end
end
batched('ZREM', queue.failed, gone)
batched('ZREM', queue.canceled, gone)
return { requeued, stay, looked, entries, hung.is_left and 1 or 0 }
