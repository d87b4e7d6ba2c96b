// Samples are tested as users meet them: built, and their tour run as `npm run sample` does it.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertBuilt } from '../support/children.js';
import { run } from '../../scripts/child-processes.mjs';
import { startRedis } from '../support/redis-server.js';

/** For building and running one. */
export const TOUR_TIME_LIMIT = 130_000;

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Builds `sample/NAME` and runs its tour on a Redis of its own; gives what it prints, without colours.
 * @throws CommandFailed with the output when the tour did not go as it should
 */
export async function runTour(name: string): Promise<string> {
  assertBuilt();
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  const project = name.replace(/^\d+-/, '');
  await run(process.execPath, [nest, 'build', project], {
    what: `nest build ${project}`,
    cwd: root,
    timeLimit: 60,
  });

  const redis = await startRedis();
  try {
    return await run(process.execPath, [join(root, 'sample', name, 'dist/tour.js')], {
      what: `the tour of ${name}`,
      env: { REDIS_URL: redis.url, NO_COLOR: '1' },
      timeLimit: 60,
    });
  } finally {
    await redis.stop();
  }
}
