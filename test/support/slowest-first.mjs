// The order of the test files: those that take longest begin first, so that none of them is still running when all others
// have ended. Jest knows what files took when it has run them before; a build machine has not.
import Sequencer from '@jest/test-sequencer';

/** The longest first; some of each kind, those that work and those that wait. */
const SLOWEST = [
  'dashboard/pages',
  'packaging/applications',
  'packaging/bundles',
  'interop/repeat',
  'fault/flow-model',
  'interop/dependencies-mixed',
  'interop/crash',
  'fault/killed-worker',
  'interop/traps-registries',
  'integration/half-changes-lanes',
  'interop/nest-to-python',
  'fault/unique',
  'interop/rq-info',
  'fault/outages',
  'integration/heads',
  'nest/listeners',
  'interop/mixed',
  'integration/half-changes',
  'fault/cut-commands',
  'fault/rounds',
  'integration/shared-with-python',
  'interop/two-schedulers',
  'fault/redis-refuses',
  'packaging/users-project',
  'interop/python-to-nest',
  'fault/cut-links',
  'interop/control',
  'fault/redis-restart',
  'dashboard/mount',
  'integration/events',
  'fault/bulk',
  'fault/slow-links',
  'cluster/cluster',
  'integration/webhooks',
  'fault/false-alarms',
  'interop/dependencies',
  'fault/lost-lease',
  'cluster/nest',
  'testing/lifecycle',
  'interop/written-meanwhile',
  'nest/redis-down',
  'unit/wire/linear-parsers',
  'integration/bad-records',
  'nest/roots',
  'fault/sentinel',
  'samples/validation-guards',
  'cli/commands',
  'nest/connection',
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
