import { inRootContext } from './root-context.js';

/**
 * Calls a handler, outside of every asynchronous context, and tells how that ended, once. Nothing that a handler throws or
 * returns gets through to the caller.
 */
export function callHandler(call: () => unknown, end: HandlerEnd): void {
  let returned: unknown;
  let isAwaited: boolean;
  try {
    returned = inRootContext(call);
    isAwaited = isThenable(returned);
  } catch (error) {
    end.fail(error);
    return;
  }
  if (isAwaited) {
    // A `then` that is not a Promise's own may throw or call back twice: resolve() deals with that.
    Promise.resolve(returned).then(
      (value) => end.succeed(value),
      (error: unknown) => end.fail(error),
    );
  } else {
    end.succeed(returned);
  }
}

/** Whoever waits for a handler. */
export interface HandlerEnd {
  succeed(value: unknown): void;
  fail(error: unknown): void;
}

/** @throws what a getter or a proxy throws */
function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as PromiseLike<unknown>).then === 'function'
  );
}
