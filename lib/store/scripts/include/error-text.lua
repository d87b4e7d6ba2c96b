-- What a caught error says. To be included where an error is told, so that nothing is made while all goes well.
local function error_text(problem) return type(problem) == 'table' and problem.err or tostring(problem) end
