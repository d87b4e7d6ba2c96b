// Runs one of sample/ with one command, on a machine that has only Node: installs and builds what is
// missing, opens a Redis (see redis-for-samples.mjs) and runs the sample's tour against it; a sample about tests
// has a Jest suite in place of a tour, and needs no Redis. What has been started is ended in all cases.
import { existsSync } from 'node:fs';
import { endAll, endAllOnSignals, ended, runNpm, start } from './child-processes.mjs';
import { dependenciesAreStale, installDependencies, root } from './dependencies.mjs';
import { openRedisFor } from './redis-for-samples.mjs';

/**
 * Runs `sample/NAME`, and sets the exit code of this process to that of its tour.
 * @param purpose what the user calls it: 'the demo'
 * @param args of the tour
 * @param env defaults for the tour's environment
 */
export async function runSample(name, { purpose, args = [], env = {} }) {
  // Stopping the application may take as long as its running jobs, which in a sample are short.
  const interrupted = endAllOnSignals({ grace: 10 });
  try {
    if (dependenciesAreStale()) {
      console.log('Installing the packages of package-lock.json (npm ci, once) ...');
      await installDependencies();
    }
    const config = `sample/${name}/jest.config.mjs`;
    process.exitCode = existsSync(root + config)
      ? await tests(config, args)
      : await tour(name, { purpose, args, env });
  } catch (error) {
    if (!interrupted()) {
      console.error(`\n${capitalised(purpose)} could not run: ${error.message}`);
      process.exitCode = 1;
    }
  } finally {
    if (!interrupted()) await endAll();
  }
}

async function tour(name, { purpose, args, env }) {
  console.log('Building the library and the sample ...');
  await runNpm(['run', '--silent', 'build'], { cwd: root });
  await runNpm(['run', '--silent', 'build:sample', '--', projectOf(name)], { cwd: root });

  const redis = await openRedisFor(purpose);
  console.log(`Redis: ${redis.notice}\n`);

  const application = start(process.execPath, [`sample/${name}/dist/tour.js`, ...args], {
    cwd: root,
    stdio: 'inherit',
    env: { ...env, ...process.env, REDIS_URL: redis.url },
  });
  const { code } = await ended(application);
  return code ?? 1;
}

async function tests(config, args) {
  const jest = [
    'run',
    '--silent',
    'jest',
    '--',
    `--config=${config}`,
    '--detectOpenHandles',
    ...args,
  ];
  await runNpm(jest, { cwd: root, show: true, what: 'the tests of the sample' });
  return 0;
}

/** Its name in nest-cli.json: `02-validation-guards` is the project `validation-guards`. */
function projectOf(name) {
  return name.replace(/^\d+-/, '');
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
