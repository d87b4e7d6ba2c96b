// Node's environment for a test file, which takes its AsyncLocalStorages along when it ends.
// Before Node 24 each one that was ever used costs time at every promise of the process, for ever. A worker of jest runs
// a hundred files, each with libraries of its own and two or three storages: the last files took many times as long.
import { AsyncLocalStorage } from 'node:async_hooks';
import { TestEnvironment } from 'jest-environment-node';

/** Those of the file that runs. */
const used = new Set();

for (const name of ['run', 'enterWith']) {
  const original = AsyncLocalStorage.prototype[name];
  AsyncLocalStorage.prototype[name] = function (...args) {
    used.add(this);
    return original.apply(this, args);
  };
}

export default class EnvironmentWithoutLeftovers extends TestEnvironment {
  async teardown() {
    await super.teardown();
    for (const storage of used) storage.disable();
    used.clear();
  }
}
