-- Reads the outcomes that come with a call, from a place in ARGV on.

-- A score that no lease has.
local NO_LEASE = '-2'

-- There stands the number of entries, then the entries.
-- Answers the executions as lists (see settle-all.lua), and the place behind them.
local function read_outcomes(token, at)
  local ids, members, absent, kinds, firsts, results = {}, {}, {}, {}, {}, {}
  local index = 0
  local function add(id, execution, kind, first, result)
    index = index + 1
    local member = id .. ':' .. token .. execution
    ids[index], members[index] = id, member
    absent[2 * index - 1], absent[2 * index] = NO_LEASE, member
    kinds[index], firsts[index], results[index] = kind, first, result
  end
  local entries = tonumber(ARGV[at])
  at = at + 1
  for _ = 1, entries do
    if ARGV[at] == 'one' then
      add(ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], at + 5)
      at = at + 5 + tonumber(ARGV[at + 4])
    else
      for id, execution, result in string.gmatch(ARGV[at + 3], '([^\n]*)\n([^\n]*)\n([^\n]*)\n') do
        add(id, execution, 'finished', at + 1, result)
      end
      at = at + 4
    end
  end
  return { ids = ids, members = members, absent = absent, kinds = kinds, firsts = firsts, results = results }, at
end
