import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks';

/**
 * Runs a handler outside of every asynchronous context. Without it a job would see what AsyncLocalStorage held where the
 * application started, or what an earlier job left there by `enterWith`.
 *
 * @param run called at once; what it throws is thrown here
 */
export function inRootContext<Result>(run: () => Result): Result {
  const context = contextsLeak ? freshContext() : root;
  return context.runInAsyncScope(run);
}

/** The context in which this module was loaded: none. */
const root = new AsyncResource('nestjs-rq');

/** Contexts that no run has had: made in stock, since going to the root for each costs as much as making it. */
const stock: AsyncResource[] = [];

function freshContext(): AsyncResource {
  if (stock.length === 0) root.runInAsyncScope(fillStock);
  return stock.pop() as AsyncResource;
}

/** A context is made from the one that is current. */
function fillStock(): void {
  for (let count = 0; count < IN_STOCK; count += 1) stock.push(new AsyncResource('RqJob'));
}

const IN_STOCK = 64;

/** Up to Node 22 `enterWith` changes the resource that is current: a run needs one of its own then. */
const contextsLeak = (() => {
  const probe = new AsyncLocalStorage<boolean>();
  root.runInAsyncScope(() => probe.enterWith(true));
  const leaks = root.runInAsyncScope(() => probe.getStore()) === true;
  probe.disable();
  return leaks;
})();
