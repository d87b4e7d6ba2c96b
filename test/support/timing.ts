// What a test may say about time, on a machine that has more to do than it can. Where the order of events tells as much,
// a test looks at that and not at a clock.

/**
 * Milliseconds by which anything may be late. What it would have to wait for otherwise (the end of a blocking read, a
 * sweep, a lease of the usual length) is ten seconds away and more.
 */
export const LATENESS = 4000;

/**
 * Milliseconds by which a wait may seem too short: the test notes its beginning a moment after it has begun, and timers
 * count whole milliseconds of a clock of their own.
 */
export const EARLINESS = 50;

/**
 * What is quick, is quick at least once: gives the least of what `measure` gives, and stops at the first that is below
 * `enough`.
 */
export async function least(
  measure: (round: number) => Promise<number>,
  { enough, rounds = 5 }: { enough: number; rounds?: number },
): Promise<number> {
  let smallest = Infinity;
  for (let round = 1; round <= rounds && smallest >= enough; round += 1) {
    smallest = Math.min(smallest, await measure(round));
  }
  return smallest;
}
