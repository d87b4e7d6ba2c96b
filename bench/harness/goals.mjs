// What a row of the table is held to. `own` and `other` are the medians of nestjs-rq and BullMQ, `ratio` is own / other.

/** Own figure at least `factor` times BullMQ's. */
export function atLeastTimes(factor) {
  return { text: `ratio ≥ ${factor}`, met: ({ ratio }) => ratio >= factor };
}

/** Own figure at most `factor` times BullMQ's. */
export function atMostTimes(factor) {
  return { text: `ratio ≤ ${factor}`, met: ({ ratio }) => ratio <= factor };
}

/** Own figure at most `limit`, whatever BullMQ does. */
export function atMost(limit, unit) {
  return { text: `≤ ${limit} ${unit}`, met: ({ own }) => own <= limit };
}
