-- Nothing may fail after the first write of a script: half of a change would stay. What could be refused for the type of
-- a key is asked with a look at the key; what could be refused for lack of rights is asked here. Announcements may fail:
-- they are made by pcall.

-- Raises when this user may not run a command on a key.
local assure_right
do
  -- Redis before 7 cannot be asked: there, the look at the start of the process has to do.
  local may_run = redis.acl_check_cmd
  -- Redis 8 wants as many words as the command takes: of these no more than the key, or one more; of all others two. It is
  -- the key again, since RENAME takes two of them.
  local alone = ' DEL EXISTS GET PERSIST PTTL TTL '
  local with_one = ' EXPIRE HDEL HEXISTS HGET HMGET LPOS LPUSH PEXPIRE PEXPIREAT RENAME RPUSH SADD SET SREM ZREM '
    .. 'ZSCORE '

  local function is_allowed(command, key)
    local name = ' ' .. command .. ' '
    if string.find(alone, name, 1, true) then return may_run(command, key) end
    if string.find(with_one, name, 1, true) then return may_run(command, key, key) end
    return may_run(command, key, key, key)
  end

  function assure_right(command, key)
    if may_run and not is_allowed(command, key) then
      error({ err = 'NOPERM missing right: ' .. string.lower(command) .. ' on key ' .. key })
    end
  end
end
