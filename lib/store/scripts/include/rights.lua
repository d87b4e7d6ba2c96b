-- Nothing may fail after the first write of a script: half of a change would stay. What could be refused for the type of
-- a key is asked with a look at the key; what could be refused for lack of rights is asked here. Announcements may fail:
-- they are made by pcall.

-- Redis before 7 cannot be asked: there, the look at the start of the process has to do.
local may_run = redis.acl_check_cmd

-- Raises when this user may not run a command on a key.
local function assure_right(command, key)
  if may_run and not may_run(command, key) then
    error({ err = 'NOPERM missing right: ' .. string.lower(command) .. ' on key ' .. key })
  end
end
