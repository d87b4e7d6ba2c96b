-- Reads the outcomes that come with a call, from a place in ARGV on.

-- A score that no lease has.
local NO_LEASE = '-2'

-- There stands the number of entries, then the entries.
-- Answers the executions as lists (see settle-all.lua), and the place behind them.
local function read_outcomes(token, at)
  local ids, members, absent, kinds, firsts, results = {}, {}, {}, {}, {}, {}
  local index, stem = 0, ':' .. token
  local entries = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, entries do
    if ARGV[at] == 'one' then
      index = index + 1
      ids[index], members[index] = ARGV[at + 1], ARGV[at + 1] .. stem .. ARGV[at + 2]
      kinds[index], firsts[index] = ARGV[at + 3], at + 5
      at = at + 5 + tonumber(ARGV[at + 4])
    else
      for id, execution, result in string.gmatch(ARGV[at + 3], '([^\n]*)\n([^\n]*)\n([^\n]*)\n') do
        index = index + 1
        ids[index], members[index] = id, id .. stem .. execution
        kinds[index], firsts[index], results[index] = 'finished', at + 1, result
      end
      at = at + 4
    end
  end
  for place = 1, index do absent[2 * place - 1], absent[2 * place] = NO_LEASE, members[place] end
  return { ids = ids, members = members, absent = absent, kinds = kinds, firsts = firsts, results = results }, at
end
