/** What `setTimeout` can count to: milliseconds, 25 days. */
export const LONGEST_TIMER = 2 ** 31 - 1;
