// Tests never sleep a fixed time: they wait until something is so, and fail with its name if it does
// not come to be within a deadline.

export interface WaitOptions {
  /** What is waited for, for the error message: 'the job to be finished'. */
  what: string;
  /** Milliseconds until the wait is given up; 10 seconds by default. */
  timeout?: number;
  /** Milliseconds between two looks; 10 by default. */
  every?: number;
}

/** A falsy value: not yet. */
type NotYet = false | undefined | null | 0 | '';

/**
 * Looks again and again until `check` gives something truthy, and gives that. A check that throws
 * counts as "not yet"; its last error is the `cause` of the error after the deadline.
 */
export async function eventually<T>(
  check: () => Promise<T | NotYet> | T | NotYet,
  { what, timeout = 10_000, every = 10 }: WaitOptions,
): Promise<T> {
  const deadline = performance.now() + timeout;
  let last: { value: unknown } | { error: unknown };
  do {
    try {
      const value = await check();
      if (value) return value as T;
      last = { value };
    } catch (error) {
      last = { error };
    }
    await pause(every);
  } while (performance.now() < deadline);
  const seen = 'error' in last ? 'the last look failed' : `last seen: ${String(last.value)}`;
  throw new Error(
    `Waited ${timeout} ms in vain for ${what} (${seen})`,
    'error' in last ? { cause: last.error } : undefined,
  );
}

export interface Deferred<T> {
  promise: Promise<T>;
  resolve: (value: T) => void;
  reject: (error: unknown) => void;
}

/** A promise that the test settles itself. */
export function deferred<T = void>(): Deferred<T> {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((onValue, onError) => {
    resolve = onValue;
    reject = onError;
  });
  return { promise, resolve, reject };
}

/** Gives what `promise` gives, or fails after `timeout` milliseconds, naming what was waited for. */
export async function within<T>(
  promise: Promise<T>,
  { what, timeout = 10_000 }: WaitOptions,
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Waited ${timeout} ms in vain for ${what}`));
    }, timeout);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
