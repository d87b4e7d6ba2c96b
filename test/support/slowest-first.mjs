// The order of the test files: those that take longest begin first, so that none of them is still running when all others
// have ended. Jest knows what files took when it has run them before; a build machine has not.
import Sequencer from '@jest/test-sequencer';

/** The longest first; some of each kind, those that work and those that wait. */
const SLOWEST = [
  'packaging/applications',
  'packaging/bundles',
  'interop/crash',
  'fault/killed-worker',
  'interop/dependencies-mixed',
  'packaging/users-project',
  'interop/repeat',
  'interop/rq-info',
  'fault/unique',
  'interop/mixed',
  'interop/nest-to-python',
  'fault/outages',
  'integration/half-changes',
  'interop/control',
  'testing/drain',
  'interop/traps-registries',
  'fault/bulk',
  'integration/heads',
  'fault/cut-commands',
  'testing/roots',
  'interop/dependencies',
  'fault/back-to-rest',
  'samples/testing',
  'fault/cut-links',
  'interop/python-to-nest',
  'fault/redis-restart',
  'samples/worker-process',
  'fault/lost-lease',
  'samples/order',
  'fault/emptied-redis',
];

export default class SlowestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = SLOWEST.findIndex((name) =>
        path.replaceAll('\\', '/').endsWith(`/${name}.spec.ts`),
      );
      return at === -1 ? SLOWEST.length : at;
    };
    return super.sort(tests).toSorted((one, other) => rank(one) - rank(other));
  }
}
