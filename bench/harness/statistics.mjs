// The few numbers that a table needs. Medians and ranges, no averages: one disturbed run must not move a figure.

export function quantile(values, q) {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  const position = (sorted.length - 1) * q;
  const below = Math.floor(position);
  const above = Math.ceil(position);
  return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
}

export const median = (values) => quantile(values, 0.5);

/**
 * Two figures of the same rounds compared within each, in which the machine has about one speed: the median of the
 * ratios, `undefined` without common rounds.
 */
export function pairedRatio(perRound, against) {
  const rounds = Object.keys(perRound).filter((round) => against[round]);
  return median(rounds.map((round) => perRound[round] / against[round]));
}

/** `undefined` without values. */
export function range(values) {
  return values.length === 0 ? undefined : [Math.min(...values), Math.max(...values)];
}
