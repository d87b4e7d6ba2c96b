// Samples are tested as users meet them: built, and their tour run as `npm run sample` does it. Their types are checked by
// `npm run typecheck`, all together.
import { transformFileSync } from '@swc/core';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertBuilt } from '../support/children.js';
import { run } from '../../scripts/child-processes.mjs';
import { startRedis } from '../support/redis-server.js';

/** For building and running one. */
export const TOUR_TIME_LIMIT = 300_000;

const root = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Builds `sample/NAME` and runs its tour on a Redis of its own; gives what it prints, without colours.
 * @param build by `nest build`, which takes ten times as long as what compiles the tests
 * @throws CommandFailed with the output when the tour did not go as it should
 */
export async function runTour(
  name: string,
  build: 'as users do' | 'quickly' = 'quickly',
): Promise<string> {
  assertBuilt();
  if (build === 'quickly') compile(join(root, 'sample', name));
  else await nestBuild(name.replace(/^\d+-/, ''));

  const redis = await startRedis();
  try {
    return await run(process.execPath, [join(root, 'sample', name, 'dist/tour.js')], {
      what: `the tour of ${name}`,
      env: { REDIS_URL: redis.url, NO_COLOR: '1' },
      timeLimit: 120,
    });
  } finally {
    await redis.stop();
  }
}

async function nestBuild(project: string): Promise<void> {
  const nest = join(root, 'node_modules/@nestjs/cli/bin/nest.js');
  await run(process.execPath, [nest, 'build', project], {
    what: `nest build ${project}`,
    cwd: root,
    timeLimit: 120,
  });
}

function compile(sample: string): void {
  const [sources, target] = [join(sample, 'src'), join(sample, 'dist')];
  rmSync(target, { recursive: true, force: true });
  for (const name of readdirSync(sources, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const { code } = transformFileSync(join(sources, name), {
      swcrc: false,
      jsc: {
        target: 'es2022',
        parser: { syntax: 'typescript', decorators: true },
        transform: { legacyDecorator: true, decoratorMetadata: true },
        keepClassNames: true,
      },
    });
    const file = join(target, name.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
  }
}
