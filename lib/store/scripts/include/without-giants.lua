-- A field that is longer than any payload may be makes no sense to the worker: it does not travel, and counts as absent.

local function without_giants(claims, packed)
  local has_giant = false
  for _, values in ipairs(claims.jobs) do
    for field, value in pairs(values) do
      if type(value) == 'string' and #value > claims.max_payload and field ~= CLAIM_FIELD_COUNT + 1 then
        values[field] = false
        has_giant = true
      end
    end
  end
  return has_giant and cmsgpack.pack(claims.jobs) or packed
end
