import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/**
 * Runs a handler outside of every asynchronous context. Without it a job would see what AsyncLocalStorage held where the
 * application started, or what an earlier job left there by `enterWith`.
 *
 * @param run called with `args`, at once; what it throws is thrown here
 */
export function inRootContext<Args extends unknown[], Result>(
  run: (...args: Args) => Result,
  ...args: Args
): Result {
  if (!contextsLeak) return root.runInAsyncScope(run, undefined, ...args);
  return root.runInAsyncScope(newContext).runInAsyncScope(run, undefined, ...args);
}

/** The context in which this module was loaded: none. */
const root = new AsyncResource('nestjs-rq');

/** A context of its own for one run, made from the one that is current. */
const newContext = () => new AsyncResource('RqJob');

/** Up to Node 22 `enterWith` changes the resource that is current: a run needs one of its own then. */
const contextsLeak = (() => {
  const probe = new AsyncLocalStorage<boolean>();
  root.runInAsyncScope(() => probe.enterWith(true));
  const leaks = root.runInAsyncScope(() => probe.getStore()) === true;
  probe.disable();
  return leaks;
})();
