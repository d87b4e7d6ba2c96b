/**
 * What RQ does with a job where nobody says anything else. Python's workers do the same, so that a job fares alike
 * wherever it runs.
 */

/** How long one run may take, in milliseconds: 180 seconds. */
export const DEFAULT_TIMEOUT_MS = 180_000;

/** How long a finished job and its result are kept, in seconds. */
export const DEFAULT_RESULT_TTL = 500;

/** How long a failed job is kept, in seconds: a year. */
export const DEFAULT_FAILURE_TTL = 31_536_000;
