// `npm run demo`: the library at work, in under a minute, on a machine that has only Node.
// It installs and builds what is missing, opens a Redis (see redis-server.mjs) and runs the tour of
// sample/01-quickstart against it. `npm run demo -- --serve` then keeps the application running.
// Settings by environment: REDIS_URL, PORT (of --serve, 3000), MAIL_RETRY_INTERVAL (seconds, 6).
import {
  CommandFailed,
  endAll,
  endAllOnSignals,
  ended,
  runNpm,
  start,
} from './child-processes.mjs';
import { dependenciesAreStale, installDependencies, root } from './dependencies.mjs';
import { openDemoRedis } from './redis-server.mjs';

const serve = process.argv.includes('--serve');
// Stopping the application may take as long as its running jobs, which here are short.
const interrupted = endAllOnSignals({ grace: 10 });

try {
  process.exitCode = await demonstrate();
} catch (error) {
  if (!interrupted()) {
    console.error(`\nThe demo could not run: ${error.message}`);
    if (error instanceof CommandFailed && error.output) console.error(error.output);
    process.exitCode = 1;
  }
} finally {
  if (!interrupted()) await endAll();
}

async function demonstrate() {
  if (dependenciesAreStale()) {
    console.log('Installing the packages of package-lock.json (npm ci, once) ...');
    await installDependencies();
  }
  console.log('Building the library and the sample ...');
  await runNpm(['run', '--silent', 'build'], { cwd: root });
  await runNpm(['run', '--silent', 'build:sample'], { cwd: root });

  const redis = await openDemoRedis();
  console.log(`Redis: ${redis.notice}\n`);

  const tour = ['sample/01-quickstart/dist/tour.js', ...(serve ? ['--serve'] : [])];
  const application = start(process.execPath, tour, {
    cwd: root,
    stdio: 'inherit',
    // In a real project a mail is tried again after a minute: too long to watch.
    env: { MAIL_RETRY_INTERVAL: '6', ...process.env, REDIS_URL: redis.url },
  });
  const { code } = await ended(application);
  return code ?? 1;
}
