-- What people and programs do to jobs from outside: cancel, stop, requeue, promote, delete, replace the meta.
--
-- The jobs are given by their ids, or are those of a registry or of the queue, in its order. First all of them are looked
-- at, and Redis is asked whether it would refuse anything. Only then anything is written.
--
-- Flags allow-oom
-- KEYS  list         the queue
-- ARGV  prefix       how the names of all keys begin
--       channels     how the names of our channels begin
--       queue        name of the queue
--       action       'cancel' | 'stop' | 'requeue' | 'promote' | 'delete' | 'meta'
--       argument     'front' | 'back' (requeue), text of the meta (meta)
--       finished     '1' = finished jobs are requeued, too
--       retries      '' = as they are | 'fresh' | how many a requeued job has from now on
--       intervals    JSON, for jobs that have no intervals of their own
--       own_retry    JSON, the same for the rest of a policy
--       failure_ttl  in seconds, of jobs that have none: how long a canceled job is kept
--       dependents   what becomes of those that wait for a job: 'end' = what each says itself, 'release' (cancel) = they
--                    need not wait for it, 'delete' (delete) = they are deleted, too
--       keep         '' = what is deleted is gone | names the operation by which it can be had back for an hour
--       place        '' = the ids are given | 'queued' (the queue) | 'started' | 'scheduled' | 'deferred' | 'finished' |
--                    'failed' | 'canceled'
--       offset       where to begin in that place; of given ids: where in the queue the first is probably found
--       behind       the entry behind which to go on, '' = at the offset. It knows better, when others come and go
--       most         how many jobs to change at most
--       name         '' = any | the job's name as JSON
--       after        '' | milliseconds since the epoch: jobs of that time or later
--       after_date   the same as RQ writes dates
--       before       '' | milliseconds since the epoch: jobs of an earlier time
--       before_date  the same as RQ writes dates
--       ids...       the ids, when they are given
-- Reply 1 how many were looked at  2 entries in the place before  3 how many of those looked at still stand there
--       4 the last of them, '' = none  5 list of answer, count, ...:
--         'done' | 'already' it is as asked for: a call that is repeated changes nothing | 'running' | 'refused' since
--         its status does not allow it | 'duplicate' another job has its unique key | 'missing' there is no such job |
--         'passed' another name or time is asked for; and 'kept': how many of those deleted can be had back
--       6 the status that the last job had; of a duplicate the id of the other job
--       7 list of id, beginning of the data, ...: jobs that are left, since only their data say their name
--       8 '1' = jobs that wait for them are still to be told (see release.lua), '' = none
-- State as RQ leaves it, in one step. Ids without a job leave the registries of ended jobs. A running job that is
--       canceled or deleted is told to its worker, and its lease is taken away, so that the worker's outcome is refused
--       whatever becomes of the job or its id before it comes; one that is stopped is ended by its worker.

--- @include now
--- @include batched
--- @include queue
--- @include rights
--- @include queue-up
--- @include announce
--- @include events
--- @include finish
--- @include executions
--- @include commands
--- @include ended
--- @include unique

local action, place = ARGV.action, ARGV.place
local queue = queue_of({ name = ARGV.queue, list = KEYS.list })

--- @include selection
--- @include look-at-jobs
--- @include take-out

local act = {}
do
  --- @include fresh-retries
  --- @include keep-deleted
  --- @include control-actions
end

local selection = select_jobs(queue)
local found = look_at_jobs(queue, selection)
-- What is left of the budget is for those that wait for these jobs.
hung.steps = math.min(450, work * 0.75)
if #found.jobs > 0 then act[action](queue, found.jobs, found) end
drop_ghosts(queue, found.missing)
if not queue.is_plain then
  --- @include tell-room
  tell_room(queue)
end

local answers = {}
for answer, count in pairs(found.answers) do
  answers[#answers + 1] = answer
  answers[#answers + 1] = count
end
return {
  found.looked, selection.total, found.stay, found.last, answers, found.status, found.unread, hung.is_left and '1' or '',
}
